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
export async function markAmphoraeBusy(tx: Tx, amphora_ids: readonly string[]): Promise<void> {
  await tx
    .updateTable('amphora_health')
    .set({ busy: 1 })
    .where('amphora_id', 'in', amphora_ids)
    .execute()
}

/** Amphorae whose replacement failed: silent ones are replaced again, but not at once. */
export async function releaseAmphorae(
  tx: Tx,
  amphora_ids: readonly string[],
  now_ms: number,
): Promise<void> {
  await tx
    .updateTable('amphora_health')
    .set({ busy: 0, last_update_ms: now_ms })
    .where('amphora_id', 'in', amphora_ids)
    .execute()
}
