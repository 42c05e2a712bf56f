/** Ids of the children of many rows at once: few queries per kind of child and many parents. */
import type { IdOnly } from '../model/view.ts'
import { runBatch, times } from './batch.ts'
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
    build: (on, count) => selectChildren(on, table, column, times(count, ''), order),
    rows: parents.map((parent) => [parent]),
  })
  for (const { id, parent } of rows) {
    const children = out.get(parent)
    if (children === undefined) out.set(parent, [{ id }])
    else children.push({ id })
  }
  return out
}

function selectChildren(
  db: Db,
  table: string,
  column: string,
  parents: readonly string[],
  order: string,
) {
  return db
    .selectFrom(table)
    .select(['id', `${column} as parent`])
    .where(column, 'in', parents)
    .orderBy(order)
    .orderBy('id')
}
