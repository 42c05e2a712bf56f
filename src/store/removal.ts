/** Deleting many rows at once, and what the system keeps beside resources. */
import type { Fields, Resource } from '../model/field.ts'
import type { Tx } from './store.ts'

/** Deletes all rows whose columns have these values; a list as value means any of it. */
export async function deleteRows<F extends Fields>(
  tx: Tx,
  resource: Resource<F>,
  where: Readonly<Partial<Record<keyof F & string, unknown>>>,
): Promise<number> {
  let query = tx.deleteFrom(resource.table)
  for (const [name, value] of Object.entries(where))
    query = query.where(name, Array.isArray(value) ? 'in' : '=', value)
  const { numDeletedRows } = await query.executeTakeFirst()
  return Number(numDeletedRows)
}

export async function deleteListenerStatistics(
  tx: Tx,
  listener_ids: readonly string[],
): Promise<void> {
  await tx.deleteFrom('listener_statistics').where('listener_id', 'in', listener_ids).execute()
}

export async function deleteAmphoraHealth(tx: Tx, amphora_ids: readonly string[]): Promise<void> {
  await tx.deleteFrom('amphora_health').where('amphora_id', 'in', amphora_ids).execute()
}

/** A busy amphora is not failed over, however long it is silent. */
export async function markAmphoraeBusy(
  tx: Tx,
  amphora_ids: readonly string[],
  busy = true,
): Promise<void> {
  await tx
    .updateTable('amphora_health')
    .set({ busy: busy ? 1 : 0 })
    .where('amphora_id', 'in', amphora_ids)
    .execute()
}
