/**
 * What the kernel's IPVS says of itself: the table in /proc/net/ip_vs, and the counters as ipvsadm
 * prints them. Pure.
 */
import { ipOf } from '../../model/address.ts'
import { endpoint, type LvsConfig } from './lvs-reading.ts'

export interface IpvsService {
  readonly scheduler: string
  readonly persistent: boolean
  /** Of all its servers. */
  readonly active: number
  /** Endpoint to weight. */
  readonly servers: ReadonlyMap<string, number>
}
/** By `UDP 10.0.0.2:53`. */
export type IpvsTable = ReadonlyMap<string, IpvsService>

export interface IpvsCounters {
  readonly connections: number
  readonly in_bytes: number
  readonly out_bytes: number
}

export function serviceKey(protocol: string, at: string): string {
  return `${protocol} ${at}`
}

/** /proc/net/ip_vs; addresses and ports are in hexadecimal there. */
export function parseIpvsTable(text: string): IpvsTable {
  const table = new Map<
    string,
    { scheduler: string; persistent: boolean; active: number; servers: Map<string, number> }
  >()
  let current: { active: number; servers: Map<string, number> } | undefined
  for (const line of text.split('\n')) {
    const [first = '', second = '', third = '', ...rest] = line.trim().split(/\s+/)
    const at = hexEndpoint(second)
    if (first === '->' && at !== undefined) {
      // Forward is third; then weight, active and inactive connections.
      current?.servers.set(at, Number(rest[0]))
      if (current !== undefined) current.active += Number(rest[1])
    } else if (first !== '->' && at !== undefined) {
      const persistent = rest.includes('persistent')
      const servers = new Map<string, number>()
      const service = { scheduler: third, persistent, active: 0, servers }
      table.set(serviceKey(first, at), service)
      current = service
    }
  }
  return table
}

function hexEndpoint(text: string): string | undefined {
  const found = /^(?:([0-9A-F]{8})|\[([0-9a-f:]+)\]):([0-9A-F]{4})$/.exec(text)
  if (found === null) return undefined
  const [, v4, v6, port = ''] = found
  const address = v4 === undefined ? (v6 ?? '') : ipOf(4, BigInt(`0x${v4}`)).text
  return endpoint(address, Number.parseInt(port, 16))
}

/** `ipvsadm --list --numeric --stats --exact`. */
export function parseIpvsCounters(text: string): ReadonlyMap<string, IpvsCounters> {
  const all = new Map<string, IpvsCounters>()
  for (const line of text.split('\n')) {
    const [protocol = '', at = '', connections, , , in_bytes, out_bytes] = line.trim().split(/\s+/)
    const found = /^\[?([0-9a-f.:]+?)\]?:(\d+)$/.exec(at)
    if (found === null || protocol === '->') continue
    all.set(serviceKey(protocol, endpoint(found[1] ?? '', Number(found[2]))), {
      connections: Number(connections),
      in_bytes: Number(in_bytes),
      out_bytes: Number(out_bytes),
    })
  }
  return all
}

/** The keys of a listener's services. */
export function keysOf(config: LvsConfig): readonly string[] {
  return config.services.flatMap(({ protocol, endpoints }) =>
    endpoints.map((at) => serviceKey(protocol, at)),
  )
}

/**
 * Whether the kernel does what the configuration says. A server that failed its check is not there,
 * but one that is new since `before` begins as a good one.
 */
export function isInForce(
  table: IpvsTable,
  config: LvsConfig,
  before: LvsConfig | undefined,
): boolean {
  const known = new Set(before?.services.flatMap((s) => s.servers.map((each) => each.endpoint)))
  return config.services.every(({ protocol, endpoints, scheduler, persistent, servers }) =>
    endpoints.every((at) => {
      const service = table.get(serviceKey(protocol, at))
      if (service?.scheduler !== scheduler || service.persistent !== persistent) return false
      const wanted = new Map(servers.map((each) => [each.endpoint, each.weight]))
      const right = [...service.servers].every(([each, weight]) => wanted.get(each) === weight)
      const mayMiss = (each: string): boolean => config.checked && known.has(each)
      return right && [...wanted.keys()].every((each) => service.servers.has(each) || mayMiss(each))
    }),
  )
}

export interface LimitChange {
  readonly service: string
  readonly server: string
  readonly weight: number
  readonly limit: number
}

/**
 * What a reload leaves undone: keepalived tells the kernel the limit of a server only together with
 * another weight. One that is not there gets its limit when it comes back.
 */
export function limitChanges(
  table: IpvsTable,
  config: LvsConfig,
  before: LvsConfig | undefined,
): readonly LimitChange[] {
  const limits = before?.services.flatMap(({ servers }) => servers)
  const known = new Map(limits?.map(({ endpoint: at, limit }) => [at, limit] as const))
  const isKnown = (server: string, limit: number): boolean =>
    before !== undefined && (known.get(server) ?? limit) === limit
  return config.services.flatMap(({ protocol, endpoints, servers }) =>
    endpoints.flatMap((at) => {
      const service = serviceKey(protocol, at)
      return servers.flatMap(({ endpoint: server, limit }) => {
        const weight = table.get(service)?.servers.get(server)
        return weight === undefined || isKnown(server, limit)
          ? []
          : [{ service, server, weight, limit }]
      })
    }),
  )
}
