/** What must be true of the table of rows itself. */
import type { MatrixRow } from './row.ts'

const [FIRST, LAST] = [242, 278]

/** Numbers of upstream's features of haproxy. */
export const HAPROXY_FEATURES: readonly number[] = Array.from(
  { length: LAST - FIRST + 1 },
  (_, at) => FIRST + at,
)

export function absentFeatures(rows: readonly MatrixRow[]): readonly number[] {
  const present = new Set(rows.flatMap((row) => row.features))
  return HAPROXY_FEATURES.filter((feature) => !present.has(feature))
}

/** A sentence for each thing that is wrong with a row by itself. */
export function rowOddities(rows: readonly MatrixRow[]): readonly string[] {
  const shown = new Map<string, number>()
  return rows.flatMap((row) => {
    const key = `${row.features.join(', ')}: ${row.shows}`
    shown.set(key, (shown.get(key) ?? 0) + 1)
    const wrong: string[] = []
    if (shown.get(key) !== 1) wrong.push(`${key}: twice`)
    if ((row.check === undefined) === (row.impossible === undefined))
      wrong.push(`${key}: needs either a check or the reason why there is none`)
    if (row.check !== undefined && row.listeners === undefined)
      wrong.push(`${key}: has nothing to ask`)
    return wrong
  })
}
