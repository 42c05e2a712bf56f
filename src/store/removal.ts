/** What the system keeps beside resources, when these go or rest. */
import type { Tx } from './store.ts'

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
