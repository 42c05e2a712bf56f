/** The host's side of the management interface: what is there, and doing what was planned. */
import { type Processes, runOk } from '../../system/process.ts'
import {
  type Found,
  firewallRule,
  type HostLink,
  type ManagementPort,
  type Plugging,
  planInterface,
  planRemoval,
  tapName,
} from './management-plan.ts'

export interface HostOptions {
  /** `o-hm0`. */
  readonly interface: string
  /** The UDP port of heartbeats. */
  readonly heartbeat_port: number
}

export interface ManagementHost {
  /** Makes the interface as the port says. */
  apply(plugging: Plugging, port: ManagementPort): Promise<Applied>
  remove(plugging: Plugging, port_id: string): Promise<void>
}

export interface Applied {
  /** What was done; nothing when all was right. */
  readonly done: readonly string[]
  /** Whether Neutron's agent has put it onto the network. */
  readonly plugged: boolean
}

const FIREWALLS = ['iptables', 'ip6tables'] as const

export function createManagementHost(processes: Processes, options: HostOptions): ManagementHost {
  const name = options.interface
  const rule = firewallRule(name, options.heartbeat_port)
  return {
    apply: async (plugging, port) => {
      const found = await look(processes, name, plugging, port.id)
      const commands = planInterface(name, plugging, port, found)
      for (const argv of commands) await runOk(processes, argv)
      const opened = await openFirewall(processes, rule)
      return {
        done: [...commands.map((argv) => argv.join(' ')), ...opened],
        plugged: plugging !== 'linuxbridge' || found.tap?.bridged === true,
      }
    },
    remove: async (plugging, port_id) => {
      const found = await look(processes, name, plugging, port_id)
      for (const argv of planRemoval(name, plugging, found)) await runOk(processes, argv)
      for (const program of FIREWALLS)
        if (Bun.which(program) !== null) await processes.run([program, '-w', '-D', ...rule])
    },
  }
}

/**
 * A rule in front of the host's own: accepting in a table of ours would not help where another
 * refuses. Where there is no iptables there is none to open.
 */
async function openFirewall(
  processes: Processes,
  rule: readonly string[],
): Promise<readonly string[]> {
  const opened: string[] = []
  for (const program of FIREWALLS) {
    if (Bun.which(program) === null) continue
    const there = await processes.run([program, '-w', '-C', ...rule])
    if (there.code === 0) continue
    await runOk(processes, [program, '-w', '-I', ...rule])
    opened.push(`${program} -I ${rule.join(' ')}`)
  }
  return opened
}

async function look(
  processes: Processes,
  name: string,
  plugging: Plugging,
  port_id: string,
): Promise<Found> {
  const links = await listLinks(processes)
  const tap = links.find((link) => link.name === tapName(port_id))
  return {
    link: links.find((link) => link.name === name),
    tap: tap === undefined ? undefined : { up: tap.up, bridged: tap.master !== null },
    ovs_iface_id: plugging === 'openvswitch' ? await ovsPort(processes, name) : undefined,
  }
}

async function listLinks(
  processes: Processes,
): Promise<readonly (HostLink & { readonly master: string | null })[]> {
  const { stdout } = await runOk(processes, ['ip', '-json', '-details', 'address', 'show'])
  const rows = JSON.parse(stdout) as readonly AddressRow[]
  return rows.map((row) => ({
    name: row.ifname ?? '',
    kind: row.linkinfo?.info_kind ?? '',
    mac_address: row.address ?? '',
    mtu: row.mtu ?? 0,
    up: row.flags?.includes('UP') === true,
    owner: row.ifalias ?? '',
    // The kernel names the other end where both are in one namespace.
    peer: row.link ?? null,
    master: row.master ?? null,
    addresses: (row.addr_info ?? [])
      .filter(({ scope }) => scope === 'global')
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  }))
}

interface AddressRow {
  readonly ifname?: string
  readonly link?: string
  readonly master?: string
  readonly address?: string
  readonly mtu?: number
  readonly flags?: readonly string[]
  readonly ifalias?: string
  readonly linkinfo?: { readonly info_kind?: string }
  readonly addr_info?: readonly {
    readonly local: string
    readonly prefixlen: number
    readonly scope: string
  }[]
}

async function ovsPort(processes: Processes, name: string): Promise<string | undefined> {
  const get = ['get', 'Interface', name, 'external-ids:iface-id']
  const result = await processes.run(['ovs-vsctl', '--timeout=10', '--if-exists', ...get])
  return /^"?([0-9a-f-]{36})"?$/.exec(result.stdout.trim())?.[1]
}
