/** Ids of the children of many rows at once: one query per kind of child, however many parents. */
import type { IdOnly } from '../model/view.ts'
import { runCompiled } from './compiled.ts'
import type { Db } from './store.ts'

/** How many parents one statement names. */
const BATCH_MAX = 500

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
  for (let at = 0; at < parents.length; at += BATCH_MAX) {
    const batch = parents.slice(at, at + BATCH_MAX)
    // The single row is the hot path; pages differ in length and so in text.
    const rows =
      batch.length === 1
        ? await runCompiled<ChildId>(db, `children ${table} ${column}`, batch, (on) =>
            selectChildren(on, table, column, [''], order),
          )
        : ((await selectChildren(db, table, column, batch, order).execute()) as ChildId[])
    for (const { id, parent } of rows) {
      const children = out.get(parent)
      if (children === undefined) out.set(parent, [{ id }])
      else children.push({ id })
    }
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
