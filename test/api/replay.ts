/**
 * What a real client asked for and was answered, asked again: requests of a recording go to the API
 * with the ids of this run in place of those of that run, and answers must be the same but for what
 * is new each time. A recording is a file of exchanges, one a line, made by
 * test/recorded/clients/record.ts.
 */
import { readFileSync } from 'node:fs'

export interface Exchange {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly request?: unknown
  readonly status: number
  readonly answer?: unknown
}

export function readRecording(name: string): readonly Exchange[] {
  const file = `${import.meta.dirname}/../recorded/clients/${name}.ndjson`
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Exchange)
}

/** What it was called when it was recorded, and what it is called now. */
export type Names = Map<string, string>

const ID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/
/** Addresses that the network driver chooses. */
const CHOSEN = ['vip_address', 'ip_address']

export function renamed<T>(value: T, names: Names): T {
  if (value === undefined) return value
  let text = JSON.stringify(value)
  for (const [then, now] of names) text = text.replaceAll(then, now)
  return JSON.parse(text) as T
}

/**
 * The first difference, as a sentence; undefined for none, and then ids that stand where there was
 * another are in `names`. `read`: the answer of a GET, when all work is done, which it may not have
 * been when it was recorded.
 */
export function difference(
  then: unknown,
  now: unknown,
  names: Names,
  read: boolean,
  at = '',
): string | undefined {
  if (Array.isArray(then) && Array.isArray(now)) return ofLists(then, now, names, read, at)
  if (isObject(then) && isObject(now)) {
    const [keys, those] = [Object.keys(then).toSorted(), Object.keys(now).toSorted()]
    if (keys.join() !== those.join()) return `${at} has ${those} instead of ${keys}`
    for (const key of keys) {
      const found = difference(then[key], now[key], names, read, `${at}.${key}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  return isSame(then, now, names, read, at.replace(/^.*\./, ''))
    ? undefined
    : `${at} is ${JSON.stringify(now)} instead of ${JSON.stringify(then)}`
}

/** What was made in the same second has no order, so each is looked for among all. */
function ofLists(
  then: readonly unknown[],
  now: readonly unknown[],
  names: Names,
  read: boolean,
  at: string,
): string | undefined {
  if (then.length !== now.length) return `${at} has ${now.length} instead of ${then.length}`
  // Of several new ids alone nobody can tell which is which.
  if (then.every(isReference) && then.filter(({ id }) => !names.has(id)).length > 1)
    return undefined
  const rest = [...now]
  for (const [index, one] of then.entries()) {
    let first: string | undefined
    const found = rest.findIndex((other) => {
      const tried = new Map(names)
      const problem = difference(one, other, tried, read, `${at}[${index}]`)
      first ??= problem
      if (problem === undefined) for (const [key, value] of tried) names.set(key, value)
      return problem === undefined
    })
    if (found < 0) return first
    rest.splice(found, 1)
  }
  return undefined
}

function isSame(then: unknown, now: unknown, names: Names, read: boolean, key: string): boolean {
  if (read && key === 'provisioning_status' && String(then).startsWith('PENDING_')) return true
  // What haproxy says comes later, or never where there is none.
  if (key === 'operating_status') return typeof now === 'string'
  if (read && key === 'updated_at' && then === null) return true
  if (typeof then !== 'string' || typeof now !== 'string') return then === now
  const known = names.get(then)
  if (known !== undefined) return known === now
  if (TIME.test(then)) return TIME.test(now)
  if (then !== now && ((ID.test(then) && ID.test(now)) || CHOSEN.includes(key))) {
    names.set(then, now)
    return true
  }
  return withoutOrigin(renamed(then, names)) === withoutOrigin(now)
}

function isReference(value: unknown): value is { readonly id: string } {
  return isObject(value) && Object.keys(value).join() === 'id'
}

function withoutOrigin(text: string): string {
  return text.replace(/^https?:\/\/[^/]+/, '')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
