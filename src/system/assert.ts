/** A failed assertion is a bug in this program, never a mistake of its caller. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure'
}

/** Throws AssertionFailure unless `condition` holds; `message` says what must always hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message)
}

/** For the last branch of an exhaustive switch: reaching it does not compile. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unexpected value: ${JSON.stringify(value)}`)
}

/** The value, which by a rule of this program is there. */
export function present<T>(value: T | null | undefined, what: string): T {
  assert(value !== null && value !== undefined, `${what} must be present`)
  return value
}
