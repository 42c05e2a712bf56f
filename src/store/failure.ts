/**
 * Errors of the database which are not about the statement: a full or failing disk, a lock held by
 * another process. The same transaction can succeed later. Everything else is a bug in the
 * statement.
 */
const PASSING = ['FULL', 'IOERR', 'BUSY', 'LOCKED', 'NOMEM', 'CANTOPEN', 'READONLY', 'PROTOCOL']

export function isStoreOutage(error: unknown): boolean {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return false
  return PASSING.some((name) => code === `SQLITE_${name}` || code.startsWith(`SQLITE_${name}_`))
}
