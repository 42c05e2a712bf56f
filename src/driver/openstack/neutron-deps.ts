import type { Clock } from '../../system/clock.ts'
import type { Attachments } from './attachments.ts'
import type { Neutron } from './neutron.ts'

export interface NeutronOptions {
  /** Seconds until a port is taken away from an instance that does not let go of it. */
  readonly port_detach_timeout: number
  /** Whether users may name what their own token does not show. */
  readonly allow_invisible_resource_usage: boolean
  /** Which octavia-lite makes things. */
  readonly deployment: string
}

/** What the parts of this driver share. */
export interface NeutronDeps {
  readonly neutron: Neutron
  readonly attachments: Attachments
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly options: NeutronOptions
  /** Where ports of amphorae and security groups belong; null: wherever we are let. */
  readonly projectId: () => Promise<string | null>
}
