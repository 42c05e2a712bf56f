/** What the virtual machine shows, in this order: the guest runs them, the lab reports them. */
export const CHECK_TYPES = ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP'] as const
export type CheckType = (typeof CHECK_TYPES)[number]

export const ROWS = [
  'UDP in turn',
  'UDP by weight',
  'UDP by least connections',
  'UDP by source address',
  'UDP with session persistence',
  'UDP, SCTP and TCP on one port',
  'a change loses no datagram',
  ...CHECK_TYPES.map((type) => `a ${type} check: all members are well` as const),
  ...CHECK_TYPES.map((type) => `a ${type} check: a member that dies` as const),
  ...CHECK_TYPES.map((type) => `a ${type} check: a member that comes back` as const),
  'statistics of UDP and SCTP listeners',
  'a disabled member',
  'a draining member',
  'allowed_cidrs',
  'a disabled pool',
  'a disabled listener',
  'a keepalived that dies',
  'a listener that is deleted leaves the others',
  'a load balancer that is deleted leaves nothing',
] as const
export type RowName = (typeof ROWS)[number]
