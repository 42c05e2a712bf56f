/**
 * The configuration that lvs.ts renders, read back: what an agent knows of its listeners is in
 * these files and nowhere else. Pure. Reads upstream's rendering as well.
 */
import { parseIp } from '../../model/address.ts'

const CHECKS: readonly string[] = ['MISC_CHECK', 'HTTP_GET', 'TCP_CHECK', 'UDP_CHECK']

export interface LvsServer {
  readonly member_id: string
  /** `10.0.0.3:53`, `[fd00::3]:53`: as `endpoint` writes it. */
  readonly endpoint: string
  readonly weight: number
  /** Connections at a time; 0: as many as come. */
  readonly limit: number
}

/** One `virtual_server`: all VIPs of one address family, or one of them. */
export interface LvsService {
  readonly protocol: string
  readonly endpoints: readonly string[]
  readonly scheduler: string
  /** Whether a source keeps its member. */
  readonly persistent: boolean
  readonly servers: readonly LvsServer[]
}

export interface LvsConfig {
  /** By itself, not by its load balancer. */
  readonly disabled: boolean
  /** undefined: none, or one that is disabled. */
  readonly pool_id: string | undefined
  readonly services: readonly LvsService[]
  readonly disabled_members: readonly string[]
  /** Whether members are checked. */
  readonly checked: boolean
  /** Who may send; empty: everybody. */
  readonly allowed_cidrs: readonly string[]
}

/** An address and a port in the one form in which they are compared. */
export function endpoint(address: string, port: number): string {
  const ip = parseIp(address)
  const text = ip?.text ?? address
  return ip?.family === 6 ? `[${text}]:${port}` : `${text}:${port}`
}

export function parseLvs(text: string): LvsConfig {
  const reading = new Reading()
  for (const line of text.split('\n')) reading.take(line.trim().split(/\s+/))
  return reading.result()
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

type WritableService = Writable<Omit<LvsService, 'servers'>> & { servers: Writable<LvsServer>[] }

class Reading {
  #disabled = false
  #pool_id: string | undefined
  #checked = false
  readonly #disabledMembers = new Set<string>()
  readonly #allowed: string[] = []
  readonly #groups = new Map<string, string[]>()
  readonly #services: WritableService[] = []
  #group: string[] | undefined
  #member = ''

  /** The words of one line. */
  take(words: readonly string[]): void {
    const [first = '', second = '', third = ''] = words
    if (first === '#') this.#comment(words)
    else if (this.#inGroup(first, second)) return
    else this.#directive(first, second, third)
  }

  /** Lines of a `virtual_server_group`. */
  #inGroup(first: string, second: string): boolean {
    if (first === 'virtual_server_group') {
      this.#group = []
      this.#groups.set(second, this.#group)
      return true
    }
    if (this.#group === undefined) return false
    if (first === '}') this.#group = undefined
    else if (first !== '') this.#group.push(endpoint(first, Number(second)))
    return true
  }

  #directive(first: string, second: string, third: string): void {
    const service = this.#services.at(-1)
    if (first === 'virtual_server')
      this.#services.push({
        protocol: '',
        scheduler: '',
        persistent: false,
        endpoints:
          second === 'group' ? (this.#groups.get(third) ?? []) : [endpoint(second, Number(third))],
        servers: [],
      })
    else if (service === undefined) return
    else if (first === 'protocol') service.protocol = second
    else if (first === 'lb_algo') service.scheduler = second
    else if (first === 'persistence_timeout') service.persistent = true
    else if (first === 'real_server') {
      const at = endpoint(second, Number(third))
      service.servers.push({ member_id: this.#member, endpoint: at, weight: 1, limit: 0 })
    } else if (first === 'weight' || first === 'uthreshold') {
      const server = service.servers.at(-1)
      if (server !== undefined) server[first === 'weight' ? 'weight' : 'limit'] = Number(second)
    } else if (CHECKS.includes(first)) this.#checked = true
  }

  #comment([, what = '', ...rest]: readonly string[]): void {
    const text = rest.join(' ')
    if (what === 'Allowed') this.#allowed.push(rest[0] ?? '')
    if (what === 'Configuration') {
      const [, kind, id = ''] = rest
      if (kind === 'Pool') this.#pool_id = id
      if (kind === 'Member') this.#member = id
    }
    if (!text.endsWith(' is disabled')) return
    if (what === 'Listener') this.#disabled = true
    if (what === 'Member') this.#disabledMembers.add(rest[0] ?? '')
  }

  result(): LvsConfig {
    return {
      disabled: this.#disabled,
      pool_id: this.#pool_id,
      // keepalived leaves out what has no server at all.
      services: this.#services.filter((service) => service.servers.length > 0),
      disabled_members: [...this.#disabledMembers],
      checked: this.#checked,
      allowed_cidrs: this.#allowed,
    }
  }
}
