/**
 * The seam between operations and whoever carries changes out. An operation writes its rows as
 * PENDING_* and hands the change over in the same transaction; what is PENDING ends when the
 * provider says so. Source: octavia_lib/api/drivers/provider_base.py.
 */
import type { Vip, VipRequest } from '../driver/network.ts'
import type { Tx } from '../store/store.ts'
import type { Enqueue, FlowName } from '../worker/catalogue.ts'

/** As the network's, but an additional address that nobody chose may be missing. */
export type ProviderVip = Omit<Vip, 'additional_vips'> & {
  readonly additional_vips: VipRequest['additional_vips']
}

export interface Provider {
  /** Writes whatever makes it happen; nothing outside of `tx` may be touched. */
  carryOut<N extends FlowName>(tx: Tx, job: Enqueue<N>, now: number): Promise<void>
  /** The VIP of a new load balancer; null: the network makes it. */
  readonly createVipPort: ((request: VipRequest, newId: () => string) => ProviderVip) | null
  /** Whether what amphorae cannot do is refused; one that does nothing takes everything. */
  readonly limited: boolean
  /** Whether it tells its statuses over the sockets of the driver agent. */
  readonly reports: boolean
}
