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
  'statistics of a listener',
] as const
export type RowName = (typeof ROWS)[number]

testInMachine('lvs-serve.ts', ROWS)
