/** Certificates of amphorae that end soon. */
import { type Amphora, amphora } from '../model/amphora.ts'
import { countRows, decodeRow, updateRows } from './repository.ts'
import type { Tx } from './store.ts'

/**
 * Makes amphorae that take traffic `cert_busy` whose certificate ends before that time, the first
 * to end first, as long as no more than `busy_max` are; gives those that it made so.
 */
export async function takeExpiring(tx: Tx, before: string, busy_max: number): Promise<Amphora[]> {
  const free = busy_max - (await countRows(tx, amphora, { cert_busy: 1, status: 'ALLOCATED' }))
  if (free <= 0) return []
  const rows = await tx
    .selectFrom(amphora.table)
    .selectAll()
    .where('status', '=', 'ALLOCATED')
    .where('cert_busy', '=', 0)
    .where('cert_expiration', '<', before)
    .orderBy('cert_expiration')
    .limit(free)
    .execute()
  const taken = rows.map((row) => decodeRow(amphora, row))
  await updateRows(tx, amphora, { id: taken.map(({ id }) => id) }, { cert_busy: true })
  return taken
}
