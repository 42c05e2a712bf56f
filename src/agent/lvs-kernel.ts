/** IPVS and the packet filter of the amphora's namespace: made ready, looked at, cleared. */
import {
  type IpvsTable,
  type LimitChange,
  parseIpvsCounters,
  parseIpvsTable,
} from '../dataplane/keepalived/ipvs.ts'
import type { IpvsState } from '../dataplane/keepalived/lvs-statistics.ts'
import { readTextIfExists } from '../system/files.ts'
import { type Processes, runOk } from '../system/process.ts'
import { NAMESPACE_PATH } from './paths.ts'

const IN_NAMESPACE = ['nsenter', `--net=${NAMESPACE_PATH}`]
/**
 * What upstream's amphora-netns unit sets: answers of members come back through this amphora; the
 * connections of a server that was taken away go to another at once.
 */
const SETTINGS = {
  'ipv4/ip_forward': 1,
  'ipv6/conf/all/forwarding': 1,
  'ipv4/vs/conntrack': 1,
  'ipv4/vs/expire_nodest_conn': 1,
  'ipv4/vs/expire_quiescent_template': 1,
} as const
/** Not only loaded: some kernels have it built in, and only using it tells. */
const PREPARE = `[ -e /proc/net/ip_vs ] || modprobe ip_vs
[ -e /proc/net/ip_vs ] || exit 1
${Object.entries(SETTINGS)
  .map(([name, value]) => `echo ${value} >/proc/sys/net/${name} || exit 1`)
  .join('\n')}`

/** This machine cannot serve UDP and SCTP; the message is a sentence for who asked for them. */
export class NoIpvs extends Error {
  override readonly name = 'NoIpvs'
}

/** Loads and sets up IPVS; throws NoIpvs where the kernel has none. */
export async function prepareIpvs(processes: Processes): Promise<void> {
  const { code, stderr } = await processes.run([...IN_NAMESPACE, 'sh', '-c', PREPARE])
  if (code === 0) return
  const why = stderr.trim().split('\n')[0] || 'no reason was given'
  throw new NoIpvs(
    `the kernel below this amphora has no IPVS, which UDP and SCTP listeners need (${why}); ` +
      'listeners of other protocols go on',
  )
}

/** Runs a script of nft in the namespace, all of it or nothing. */
export async function applyRules(processes: Processes, script: string): Promise<void> {
  await runOk(processes, [...IN_NAMESPACE, 'nft', '-f', '-'], { stdin: script })
}

/** The table as the process `pid`, which is in the namespace, sees it: cheap enough to poll. */
export function readTable(pid: number): IpvsTable {
  return parseIpvsTable(readTextIfExists(`/proc/${pid}/net/ip_vs`) ?? '')
}

/** Table and counters. Without ipvsadm there are no counters. */
export async function readIpvs(processes: Processes, pid: number): Promise<IpvsState> {
  const argv = [...IN_NAMESPACE, 'ipvsadm', '--list', '--numeric', '--stats', '--exact']
  const { stdout } = await processes.run(argv)
  return { table: readTable(pid), counters: parseIpvsCounters(stdout) }
}

/** Takes services away which a keepalived that was killed left behind. */
export async function clearServices(processes: Processes, keys: readonly string[]): Promise<void> {
  for (const key of keys)
    await processes.run([...IN_NAMESPACE, 'ipvsadm', '--delete-service', ...serviceArgs(key)])
}

/** A server that was taken away meanwhile has no limit to change. */
export async function changeLimits(
  processes: Processes,
  changes: readonly LimitChange[],
): Promise<void> {
  for (const { service, server, weight, limit } of changes) {
    const edit = ['ipvsadm', '--edit-server', ...serviceArgs(service), '--real-server', server]
    const values = ['--masquerading', '--weight', String(weight), '--u-threshold', String(limit)]
    await processes.run([...IN_NAMESPACE, ...edit, ...values])
  }
}

function serviceArgs(key: string): readonly [string, string] {
  const [protocol = '', at = ''] = key.split(' ')
  return [`--${protocol.toLowerCase()}-service`, at]
}
