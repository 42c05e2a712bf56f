/**
 * UDP and SCTP listeners by the whole of it: serve with its local cloud in a virtual machine with
 * a stock kernel, objects made by the API, heartbeats that tell what checks find. See
 * vm/lvs-serve.ts.
 */
import { testInMachine } from './vm/rows.ts'

/** What the machine shows; in this order it is reported. */
export const ROWS = [
  'members become ONLINE by the checks of their pools',
  'UDP by both members',
  'UDP over IPv6',
  'SCTP by both members',
  'statistics of a UDP listener are what was sent',
  'statistics of an SCTP listener',
  'session persistence of a source address and its neighbours',
  'a member that is added, weighted and removed loses no datagram',
  'members by weight, and one that drains',
  'a disabled member',
  'a disabled pool',
  'allowed_cidrs',
  'connection_limit: flows beyond it are refused, those before go on',
  'a member that dies is in ERROR by every check',
  'a member that comes back is ONLINE by every check',
  'failover: the new amphora serves UDP and SCTP at the same VIP',
  'a listener that is deleted leaves the others',
  'a pair goes on when the amphora with the VIP dies',
  'load balancers that are deleted leave nothing',
] as const
export type RowName = (typeof ROWS)[number]

testInMachine('lvs-serve.ts', ROWS)
