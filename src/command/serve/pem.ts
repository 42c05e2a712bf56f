import { readFileSync } from 'node:fs'
import { CommandFailure, EXIT } from '../io.ts'

/** A file that the configuration names. */
export function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CommandFailure(`${path} cannot be read: ${why}`, EXIT.failure, cause)
  }
}
