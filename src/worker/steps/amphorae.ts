/** Finding the rows that a step is about, and doing something for each of several amphorae. */
import { DriverError } from '../../driver/error.ts'
import type { Vip } from '../../driver/network.ts'
import { type Amphora, amphora } from '../../model/amphora.ts'
import type { LoadBalancer } from '../../model/load-balancer.ts'
import { SERVING } from '../../model/status.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { findRows } from '../../store/repository.ts'
import type { Db } from '../../store/store.ts'
import { findTree } from '../../store/tree.ts'
import { present } from '../../system/assert.ts'
import type { Context } from '../world.ts'

export async function loadTree(
  { db, once }: Context,
  load_balancer_id: string,
): Promise<LoadBalancerTree> {
  const tree = await once(`tree ${load_balancer_id}`, () => findTree(db, load_balancer_id))
  return present(tree, `load balancer ${load_balancer_id}`)
}

/** Those that are not DELETED. */
export async function listAmphorae(db: Db, loadbalancer_id: string): Promise<Amphora[]> {
  const rows = await findRows(db, amphora, { loadbalancer_id })
  return rows.filter((row) => row.status !== 'DELETED')
}

/** Those of the rows that are in this list too. */
export function among<T extends { readonly id: string }>(
  rows: readonly T[],
  list: readonly { readonly id: string }[],
): T[] {
  return rows.filter((row) => list.some(({ id }) => id === row.id))
}

/** Those which take traffic, and so configuration. */
export function serving(tree: LoadBalancerTree): readonly Amphora[] {
  return tree.amphorae.filter((row) => SERVING.includes(row.status))
}

/** The VIP of a load balancer which has got one. */
export function vipOf(row: LoadBalancer): Vip {
  return {
    port_id: present(row.vip_port_id, 'vip_port_id'),
    network_id: present(row.vip_network_id, 'vip_network_id'),
    subnet_id: present(row.vip_subnet_id, 'vip_subnet_id'),
    ip_address: present(row.vip_address, 'vip_address'),
    additional_vips: row.additional_vips.map(({ subnet_id, ip_address }) => ({
      subnet_id: present(subnet_id, 'subnet_id of an additional VIP'),
      ip_address: present(ip_address, 'ip_address of an additional VIP'),
    })),
  }
}

/**
 * Does the work for all at once and waits for every one, so that nothing is still going on when the
 * failure of another is undone. Throws the error that says most: one which no retry can help comes
 * first.
 */
export async function forEach<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const settled = await Promise.allSettled(items.map((item) => work(item)))
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  const final = errors.find((error) => !(error instanceof DriverError && error.retryable))
  if (errors.length > 0) throw final ?? errors[0]
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}
