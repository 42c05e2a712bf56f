/**
 * UDP and SCTP listeners with real keepalived and IPVS. Few kernels of test machines have these, so
 * all of it runs in a virtual machine with a stock kernel: see vm/guest.ts.
 */
import { testInMachine } from './vm/rows.ts'

/** What the machine shows; in this order it is reported. */
export const ROWS = [
  'UDP in turn',
  'UDP by weight',
  'UDP by least connections',
  'UDP by source address',
  'UDP with session persistence',
  'SCTP on the same port',
  'IPv6',
  'a change loses no datagram',
  'a UDP-CONNECT check: a member that dies',
  'an SCTP check: a member that dies',
  'a TCP check: a member that dies',
  'an HTTP check: a member that dies',
  'a UDP-CONNECT check: a member that comes back',
  'an SCTP check: a member that comes back',
  'a TCP check: a member that comes back',
  'an HTTP check: a member that comes back',
  'statistics of UDP and SCTP listeners',
  'a disabled member',
  'a draining member',
  'allowed_cidrs',
  'a disabled pool',
  'a disabled listener',
  'a keepalived that dies',
  'a listener that is deleted leaves the others',
] as const
export type RowName = (typeof ROWS)[number]

testInMachine('guest.ts', ROWS)
