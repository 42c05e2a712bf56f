/** What this machine must have where amphorae are namespaces of it. */
import { existsSync } from 'node:fs'
import type { Config } from '../../config/options.ts'
import { CommandError, type Processes } from '../../system/process.ts'
import { Doubtful, type Finding, look, Wrong } from './finding.ts'

interface Program {
  readonly name: string
  readonly package: string
  /** What is not possible without it; absent: nothing is. */
  readonly without?: string
  /** Prints a version in its first line. */
  readonly version?: readonly string[]
}

const PROGRAMS: readonly Program[] = [
  { name: 'ip', package: 'iproute2' },
  { name: 'unshare', package: 'util-linux' },
  { name: 'nsenter', package: 'util-linux' },
  { name: 'mount', package: 'mount' },
  { name: 'haproxy', package: 'haproxy', version: ['-v'] },
  { name: 'nft', package: 'nftables', version: ['--version'] },
  {
    ...{ name: 'keepalived', package: 'keepalived', version: ['--version'] },
    without: 'pairs of amphorae, and UDP and SCTP listeners',
  },
  { name: 'ipvsadm', package: 'ipvsadm', without: 'statistics of UDP and SCTP listeners' },
]

export async function checkPrograms(
  { controller_worker: worker }: Config,
  processes: Processes,
): Promise<readonly Finding[]> {
  if (worker.compute_driver !== 'local') return []
  return await Promise.all([
    ...PROGRAMS.map((program) => look(program.name, () => findProgram(program, processes))),
    look('network namespaces', () => {
      if (existsSync('/proc/self/ns/net')) return ''
      throw new Wrong('this kernel has none; boot one with CONFIG_NET_NS')
    }),
    look('rights', () => {
      if (process.getuid?.() === 0) return ''
      throw new Doubtful('serve makes interfaces and namespaces, so it has to run as root')
    }),
    look('IPVS', () => ipvs(processes)),
  ])
}

async function findProgram(program: Program, processes: Processes): Promise<string> {
  const { name, version, without } = program
  const path = Bun.which(name)
  if (path !== null)
    return version === undefined ? path : await versionOf([path, ...version], processes)
  const help = `install the package ${program.package}`
  if (without === undefined) throw new Wrong(`it is not there; ${help}`)
  throw new Doubtful(`it is not there, so ${without} do not work; ${help}`)
}

async function versionOf(argv: readonly string[], processes: Processes): Promise<string> {
  const { stdout, stderr } = await run(argv, processes)
  return (stdout || stderr).split('\n')[0]?.trim() ?? ''
}

/** Loading it is the only way to know, and would change this machine: the attempt is a dry one. */
async function ipvs(processes: Processes): Promise<string> {
  if (existsSync('/proc/net/ip_vs')) return ''
  const modprobe = Bun.which('modprobe')
  const { code } =
    modprobe === null
      ? { code: 1 }
      : await run([modprobe, '--dry-run', '--quiet', 'ip_vs'], processes)
  if (code === 0) return 'loaded when it is needed'
  throw new Doubtful(
    'this kernel has none, so UDP and SCTP listeners end in ERROR; use a kernel with the module ip_vs',
  )
}

async function run(argv: readonly string[], processes: Processes) {
  try {
    return await processes.run(argv, { timeoutMs: 5_000 })
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new Wrong(`${error.message}; see whether it is installed as a whole`)
  }
}
