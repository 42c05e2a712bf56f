/** Ids of the children of many rows at once: one query per kind of child. */
import type { IdOnly } from '../model/view.ts'
import { listed, runBatch } from './batch.ts'
import type { Db } from './store.ts'

interface ChildId {
  readonly id: string
  readonly parent: string
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
  const rows = await runBatch<ChildId>(db, {
    key: `children ${table} ${column}`,
    build: (on) =>
      on
        .selectFrom(table)
        .select(['id', `${column} as parent`])
        .where(column, 'in', listed())
        .orderBy(order)
        .orderBy('id'),
    values: parents,
  })
  for (const { id, parent } of rows) {
    const children = out.get(parent)
    if (children === undefined) out.set(parent, [{ id }])
    else children.push({ id })
  }
  return out
}
