/** A new random UUID in its canonical, dashed form. */
export function newId(): string {
  return crypto.randomUUID()
}

const VERSION_AT = 14

/**
 * A new UUID that sorts behind those made before: what was made within one second is listed in the
 * order in which it was made, and rows go to the end of their table. Laid out as version 7 of
 * RFC 9562, but it says version 4: upstream's are of that version, and clients may check it.
 */
export function newOrderedId(): string {
  const id = Bun.randomUUIDv7()
  return `${id.slice(0, VERSION_AT)}4${id.slice(VERSION_AT + 1)}`
}

export const NIL_UUID = '00000000-0000-0000-0000-000000000000'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const DASHLESS = /^[0-9a-f]{32}$/

/**
 * The canonical form of a UUID, dash-less and upper-case ones included; undefined if it is none.
 */
export function parseUuid(text: string): string | undefined {
  const lower = text.toLowerCase()
  if (UUID.test(lower)) return lower
  if (!DASHLESS.test(lower)) return undefined
  return [0, 8, 12, 16, 20].map((from, i, cuts) => lower.slice(from, cuts[i + 1])).join('-')
}
