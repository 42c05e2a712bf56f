/** What the rows of lvs-serve.lab.test.ts share: serve, its load balancer, members. */
import { type AmphoraRow, amphoraeOf, lookInto } from '../amphora-faults.ts'
import { BINARY, createLab, ip, type Lab, type Serve } from '../harness.ts'
import { type Snapshot, snapshot } from '../leftovers.ts'
import { print, sorted } from './guest-rows.ts'
import { LvsLoadBalancer, PORTS, SETTINGS } from './lvs-balancer.ts'
import { askMany, createMember, type Member } from './members.ts'

/** Two addresses of each of two networks, from which clients ask. */
export const SOURCES = [
  ['10.10.20.1', '10.10.20.2'],
  ['10.10.21.1', '10.10.21.2'],
] as const

export interface World {
  readonly lab: Lab
  readonly serve: Serve
  /** The third is in no pool at first. */
  readonly members: readonly [Member, Member, Member]
  readonly balancer: LvsLoadBalancer
  readonly before: Snapshot
}
export type Row = (world: World) => Promise<void>

/** Four flows, when all is well. */
export const BOTH = 'm1 2, m2 2'

/** So many flows, and who answered. */
export const asked = async (
  vip: string,
  count: number,
  port: number = PORTS.udp,
  from?: string,
): Promise<string> => sorted(await askMany(count, vip, port, from))

export async function prepare(): Promise<World> {
  const before = await snapshot()
  const lab = createLab(SETTINGS)
  // Without it the C library, by which heartbeats are received, cannot be called.
  const serve = await lab.start([BINARY, 'serve'], { BUN_JSC_useJIT: '1' })
  print(`# serve answers after ${Math.round(performance.now())} ms`)
  for (const address of SOURCES.flat()) await ip('addr', 'add', `${address}/32`, 'dev', 'lo')
  const members = [
    await createMember(1, 200),
    await createMember(2, 204),
    await createMember(3, 200),
  ] as const
  for (const member of members) member.start()
  const balancer = new LvsLoadBalancer(serve.client)
  try {
    await balancer.create(members.slice(0, 2))
  } catch (error) {
    print(`# serve said: ${serve.log().slice(-3_000)}`)
    throw error
  }
  return { lab, serve, members, balancer, before }
}

export function amphorae(
  { serve }: World,
  { id }: LvsLoadBalancer,
): Promise<readonly AmphoraRow[]> {
  return amphoraeOf(serve.client, id)
}

/** The table of IPVS in its amphora, which has only one. */
export async function ipvsOf(world: World): Promise<string> {
  const [amphora] = await amphorae(world, world.balancer)
  if (amphora === undefined) return ''
  return lookInto(world.lab, amphora, ['ipvsadm', '--list', '--numeric'])
}
