/** What the amphorae of a pair share for VRRP, kept while there are any of them. */
import type { Db, Tx } from './store.ts'

export interface VrrpGroupRow {
  readonly load_balancer_id: string
  readonly advert_int: number
  /** Secret. */
  readonly auth_pass: string
}

/** Keeps the one that is there: amphorae which are told others do not hear one another. */
export async function ensureVrrpGroup(tx: Tx, row: VrrpGroupRow): Promise<void> {
  await tx
    .insertInto('vrrp_group')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function findVrrpGroup(
  db: Db,
  load_balancer_id: string,
): Promise<VrrpGroupRow | undefined> {
  const row: unknown = await db
    .selectFrom('vrrp_group')
    .selectAll()
    .where('load_balancer_id', '=', load_balancer_id)
    .executeTakeFirst()
  return row as VrrpGroupRow | undefined
}

export async function deleteVrrpGroup(tx: Tx, load_balancer_id: string): Promise<void> {
  await tx.deleteFrom('vrrp_group').where('load_balancer_id', '=', load_balancer_id).execute()
}
