/** What a cloud holds of load balancers, as one form for every kind of cloud. */
export const THING_KINDS = [
  'server',
  'port',
  'security group',
  'server group',
  'volume',
  'amphora',
  'process',
  'link',
] as const
export type ThingKind = (typeof THING_KINDS)[number]

export interface Thing {
  readonly kind: ThingKind
  readonly id: string
  readonly name: string
  /** Which octavia-lite says that it made it; null: nobody says so. */
  readonly deployment: string | null
  /** Whose it is; null where it does not say, or is not of an amphora. */
  readonly amphora_id: string | null
  readonly load_balancer_id: string | null
}
