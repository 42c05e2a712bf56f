/** Ids of the children of many rows at once: one query per kind of child, however many parents. */
import type { IdOnly } from '../model/view.ts'
import type { Db } from './store.ts'

/** How many parents one statement names. */
const BATCH_MAX = 500

/** Parent id to its children in order of creation; parents without children are absent. */
export async function loadChildIds(
  db: Db,
  table: string,
  column: string,
  parents: readonly string[],
): Promise<ReadonlyMap<string, readonly IdOnly[]>> {
  const out = new Map<string, IdOnly[]>()
  for (let at = 0; at < parents.length; at += BATCH_MAX) {
    const batch = parents.slice(at, at + BATCH_MAX)
    const rows = (await db
      .selectFrom(table)
      .select(['id', `${column} as parent`])
      .where(column, batch.length === 1 ? '=' : 'in', batch.length === 1 ? batch[0] : batch)
      .orderBy('created_at')
      .orderBy('id')
      .execute()) as { id: string; parent: string }[]
    for (const { id, parent } of rows) {
      const children = out.get(parent)
      if (children === undefined) out.set(parent, [{ id }])
      else children.push({ id })
    }
  }
  return out
}
