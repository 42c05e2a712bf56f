/** Which things belong to no row, and which rows miss their things. Pure. */
import type { Thing } from '../../driver/inventory.ts'
import type { Amphora } from '../../model/amphora.ts'
import type { LoadBalancer } from '../../model/load-balancer.ts'
import { isPending, SERVING } from '../../model/status.ts'

/** Read after the things: a row is written before what it is about is made. */
export interface Owners {
  readonly amphorae: readonly Pick<
    Amphora,
    'id' | 'status' | 'loadbalancer_id' | 'compute_id' | 'vrrp_port_id'
  >[]
  readonly load_balancers: readonly Pick<
    LoadBalancer,
    'id' | 'provisioning_status' | 'vip_port_id'
  >[]
  /** All ids that open jobs speak of. */
  readonly busy: ReadonlySet<string>
}

/**
 * What no row needs and no job works at, and surely is ours: it says that this deployment made it,
 * or, where it says nothing, the database still remembers the row.
 */
export function planOrphans(
  things: readonly Thing[],
  owners: Owners,
  deployment: string,
): readonly Thing[] {
  const amphorae = new Map(owners.amphorae.map((row) => [row.id, row]))
  const load_balancers = new Map(owners.load_balancers.map((row) => [row.id, row]))
  return things.filter((thing) => {
    const amphora = amphorae.get(thing.amphora_id ?? '')
    const parent = load_balancers.get(thing.load_balancer_id ?? '')
    const isNeeded =
      thing.amphora_id === null
        ? parent !== undefined && parent.provisioning_status !== 'DELETED'
        : amphora !== undefined && amphora.status !== 'DELETED'
    const ids = [thing.amphora_id, thing.load_balancer_id, amphora?.loadbalancer_id]
    const isBusy = ids.some((id) => typeof id === 'string' && owners.busy.has(id))
    const isRemembered = thing.amphora_id === null ? parent !== undefined : amphora !== undefined
    const isOurs = thing.deployment === null ? isRemembered : thing.deployment === deployment
    return isOurs && !isNeeded && !isBusy
  })
}

/** A row whose thing is gone. */
export interface Missing {
  readonly kind: 'server' | 'port'
  readonly id: string
  /** Of which amphora, or null: the VIP of a load balancer. */
  readonly amphora_id: string | null
  readonly load_balancer_id: string | null
}

/** Rows that name what is not among the things; ports of users are not, so look at each. */
export function planMissing(things: readonly Thing[], owners: Owners): readonly Missing[] {
  const known = new Set(things.map(({ id }) => id))
  const isGone = (id: string | null): id is string => id !== null && !known.has(id)
  const ofAmphorae = owners.amphorae.flatMap((row): Missing[] => {
    const { id: amphora_id, loadbalancer_id, compute_id, vrrp_port_id } = row
    const isBusy = owners.busy.has(amphora_id) || owners.busy.has(loadbalancer_id ?? '')
    if (!SERVING.includes(row.status) || isBusy) return []
    const of = { amphora_id, load_balancer_id: loadbalancer_id }
    return [
      ...(isGone(compute_id) ? [{ kind: 'server' as const, id: compute_id, ...of }] : []),
      ...(isGone(vrrp_port_id) ? [{ kind: 'port' as const, id: vrrp_port_id, ...of }] : []),
    ]
  })
  const ofVips = owners.load_balancers.flatMap((row): Missing[] => {
    const { id, provisioning_status, vip_port_id } = row
    const isSettled = !isPending(provisioning_status) && provisioning_status !== 'DELETED'
    if (!isSettled || owners.busy.has(id) || !isGone(vip_port_id)) return []
    return [{ kind: 'port', id: vip_port_id, amphora_id: null, load_balancer_id: id }]
  })
  return [...ofAmphorae, ...ofVips]
}
