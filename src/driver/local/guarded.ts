/** The promise of the seams that every failure is a DriverError, kept in one place. */
import { CommandError } from '../../system/process.ts'
import { DriverError } from '../error.ts'

type Method = (...args: never[]) => Promise<unknown>

/**
 * The same methods, but a program that failed and a file that could not be written become
 * DriverErrors. These are conditions of the host, a full disk for one, which pass: trying again can
 * help. Bugs stay bugs.
 */
export function guarded<T extends Readonly<Record<keyof T, Method>>>(driver: T): T {
  const entries = Object.entries<Method>(driver).map(([name, method]) => [
    name,
    async (...args: never[]) => {
      try {
        return await method(...args)
      } catch (error) {
        throw translated(name, error)
      }
    },
  ])
  return Object.fromEntries(entries) as T
}

function translated(method: string, error: unknown): unknown {
  if (!isOfTheHost(error)) return error
  return new DriverError({
    operation: method.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    subject: 'the local cloud',
    reason: error.message,
    retryable: true,
    cause: error,
  })
}

function isOfTheHost(error: unknown): error is Error {
  if (error instanceof CommandError) return true
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).errno === 'number'
}
