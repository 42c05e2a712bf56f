import { ConfigError } from '../../config/load.ts'
import { DriverError } from '../../driver/error.ts'
import { CommandFailure, EXIT } from '../io.ts'
import { Wrong } from './finding.ts'

/** Failures that are for the operator become those of the command. */
export async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const told = [ConfigError, DriverError, Wrong].some((kind) => cause instanceof kind)
    if (!told || !(cause instanceof Error)) throw cause
    throw new CommandFailure(cause.message, EXIT.failure, cause)
  }
}
