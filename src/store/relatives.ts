/** Ids of the children of many rows at once: one query per kind of child. */
import type { IdOnly } from '../model/view.ts'
import { runLookup } from './batch.ts'
import type { Db } from './store.ts'

interface ChildId {
  readonly id: string
  readonly parent: string
  readonly place: string | number
}

/**
 * Parent id to its children in order of creation, or by that column; parents without children are
 * absent.
 */
export async function loadChildIds(
  db: Db,
  table: string,
  column: string,
  parents: readonly string[],
  order = 'created_at',
): Promise<ReadonlyMap<string, readonly IdOnly[]>> {
  const out = new Map<string, IdOnly[]>()
  const rows = await runLookup<ChildId>(db, {
    key: `children ${table} ${column}`,
    build: (on, among) =>
      on
        .selectFrom(table)
        .select(['id', `${column} as parent`, `${order} as place`])
        .where(column, 'in', among),
    values: parents,
  })
  // SQLite would build an index for it each time, which costs more than finding a few rows.
  if (rows.length > 1) rows.sort(inPlace)
  for (const { id, parent } of rows) {
    const children = out.get(parent)
    if (children === undefined) out.set(parent, [{ id }])
    else children.push({ id })
  }
  return out
}

function inPlace(a: ChildId, b: ChildId): number {
  if (a.place !== b.place) return a.place < b.place ? -1 : 1
  return a.id < b.id ? -1 : 1
}
