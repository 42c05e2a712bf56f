/**
 * The namespace in which VIP and members are reached, and its interfaces. What is plugged is
 * written down first and set up then, so that a new agent finds on disk what it has to finish.
 */
import { existsSync } from 'node:fs'
import type { PacketRule } from '../contract/routes.ts'
import { makeFolder, readTextIfExists, SECRET_MODE, writeFileAtomic } from '../system/files.ts'
import type { Log } from '../system/log.ts'
import { type Processes, runOk } from '../system/process.ts'
import { ensureDhcp } from './dhcp.ts'
import { type InterfaceFile, isAutomatic } from './interface-file.ts'
import { type AddressRow, planInterface, type RouteRow, type RuleRow } from './interface-plan.ts'
import { NAMESPACE, NAMESPACE_PATH, type Paths } from './paths.ts'
import { createSerial, type Serial } from './serial.ts'
import { renderVipFilter } from './vip-filter.ts'

export const VIP_INTERFACE = 'eth1'
const IN_NAMESPACE = ['nsenter', `--net=${NAMESPACE_PATH}`] as const
const FIRST_MEMBER_INTERFACE = 2
const INTERFACES_MAX = 64
const WAITING_MAX = 64
/**
 * Gratuitous ARP and unsolicited neighbour advertisements are the kernel's, on every `link set
 * address`; sockets may bind a VIP which keepalived has not set yet; an IPv6 address, a link-local
 * one too, is used at once; routers of a tenant's network configure nothing here; PING monitors run
 * as nobody, for whom haproxy leaves no other way to an echo; and there may be many connections to
 * a member and many that wait to be accepted, but none from a port of ours.
 */
const NAMESPACE_SETTINGS = {
  'ipv4/conf/all/arp_notify': 1,
  'ipv6/conf/all/ndisc_notify': 1,
  'ipv6/conf/default/ndisc_notify': 1,
  'ipv6/conf/all/accept_dad': 0,
  'ipv6/conf/default/accept_dad': 0,
  'ipv6/conf/default/accept_ra': 0,
  'ipv4/ip_nonlocal_bind': 1,
  'ipv6/ip_nonlocal_bind': 1,
  'ipv4/ping_group_range': '0 2147483647',
  'ipv4/ip_local_port_range': '1025 65534',
  'ipv4/ip_local_reserved_ports': '1025,9101,9102',
  'core/somaxconn': 65_534,
  'ipv4/tcp_max_syn_backlog': 65_534,
} as const

export interface Nic {
  readonly name: string
  /** Lower case. */
  readonly mac: string
  readonly tx_bytes: number
  readonly rx_bytes: number
}

/** No network card with that MAC: it may be hot-plugged in a moment. */
export class NoSuchNic extends Error {
  override readonly name = 'NoSuchNic'
}

export interface NetworkDeps {
  readonly processes: Processes
  readonly log: Log
  readonly paths: Paths
}

export class NetworkService {
  readonly #deps: NetworkDeps
  readonly #serial: Serial = createSerial(WAITING_MAX)
  /** Names of interfaces without a card, as last seen. */
  #missing: ReadonlySet<string> = new Set()

  constructor(deps: NetworkDeps) {
    this.#deps = deps
  }

  /** Makes the namespace, or takes the one that is there. */
  async ensureNamespace(): Promise<void> {
    const { processes, log } = this.#deps
    const alive = await processes.run(['ip', '-n', NAMESPACE, 'link', 'set', 'dev', 'lo', 'up'])
    if (alive.code !== 0) {
      // After a crash a file can be left which no namespace is mounted on.
      if (existsSync(NAMESPACE_PATH)) await processes.run(['ip', 'netns', 'delete', NAMESPACE])
      await runOk(processes, ['ip', 'netns', 'add', NAMESPACE])
      await runOk(processes, ['ip', '-n', NAMESPACE, 'link', 'set', 'dev', 'lo', 'up'])
    }
    const script = Object.entries(NAMESPACE_SETTINGS)
      .map(([name, value]) => `echo '${value}' >/proc/sys/net/${name} || echo ${name}`)
      .join('; ')
    const set = await processes.run([...IN_NAMESPACE, 'sh', '-c', script])
    if (set.stdout !== '')
      log.warning('some network settings could not be made', { names: set.stdout.trim() })
  }

  /** Network cards in the namespace, or outside of it. */
  async listNics(where: 'namespace' | 'outside'): Promise<readonly Nic[]> {
    const prefix = where === 'namespace' ? ['-n', NAMESPACE] : []
    const rows = await this.#json<LinkRow>([...prefix, '-json', '-stats', 'link', 'show'])
    return rows.map((row) => ({
      name: row.ifname ?? '',
      mac: (row.address ?? '').toLowerCase(),
      tx_bytes: row.stats64?.tx?.bytes ?? 0,
      rx_bytes: row.stats64?.rx?.bytes ?? 0,
    }))
  }

  /** The interface of the namespace which has this address (canonical text). */
  async findByAddress(ip: string): Promise<string | undefined> {
    const rows = await this.#json<AddrRow>(['-n', NAMESPACE, '-json', 'addr', 'show'])
    return rows.find((row) => row.addr_info?.some((info) => info.local === ip))?.ifname
  }

  /** The interface of a MAC in the namespace, if it has been plugged. */
  async findPlugged(mac: string): Promise<string | undefined> {
    const nics = await this.listNics('namespace')
    return nics.find((nic) => nic.mac === mac.toLowerCase())?.name
  }

  /** The first free name for a member network. */
  async nextInterface(): Promise<string> {
    const taken = new Set((await this.listNics('namespace')).map((nic) => nic.name))
    for (let n = FIRST_MEMBER_INTERFACE; n < INTERFACES_MAX; n++)
      if (!taken.has(`eth${n}`)) return `eth${n}`
    throw new Error('the namespace has too many interfaces')
  }

  /** Moves the card into the namespace under its name there, unless it is there, and sets it up. */
  plug(mac: string, file: InterfaceFile): Promise<void> {
    return this.#serial(async () => {
      const { paths } = this.#deps
      const plugged = await this.findPlugged(mac)
      if (plugged === undefined && (await this.#findOutside(mac)) === undefined)
        throw new NoSuchNic('No suitable network interface found')
      makeFolder(paths.interfaces)
      writeFileAtomic(paths.interfaceFile(file.name), `${JSON.stringify(file)}\n`)
      this.#notePlugged(mac, file.name)
      await this.#setUp(mac, file)
    })
  }

  /** Only this comes in by the VIP interface from now on; no rules at all change nothing. */
  setRules(rules: readonly PacketRule[]): Promise<void> {
    return this.#serial(async () => {
      if (rules.length > 0) this.#writeFilter(rules)
      await this.#loadFilter()
    })
  }

  /** Sets up all that was ever plugged: after a reboot, a crash, or a change of this program. */
  restore(): Promise<void> {
    return this.#serial(() => this.#setUpAll(this.#readPlugged()))
  }

  /**
   * Sets up those cards which are not in the namespace: they were missing so far, or were taken
   * away and came back. Cheap when nothing is missing.
   */
  heal(): Promise<void> {
    return this.#serial(async () => {
      const there = new Set((await this.listNics('namespace')).map((nic) => nic.mac))
      await this.#setUpAll(this.#readPlugged().filter(([mac]) => !there.has(mac)))
    })
  }

  /** Tells the neighbours of the VIP interface which MAC its addresses have now. Never throws. */
  async announce(): Promise<void> {
    try {
      const nics = await this.listNics('namespace')
      const nic = nics.find(({ name }) => name === VIP_INTERFACE)
      if (nic !== undefined) await this.#announce(nic.name, nic.mac)
    } catch (error) {
      this.#deps.log.warning('addresses could not be announced', { error })
    }
  }

  /**
   * The kernel announces every address, of both families, when the MAC address of the link is set,
   * be it the same. It forgets its own neighbours as well, so this is for when something is new.
   */
  async #announce(name: string, mac: string): Promise<void> {
    const argv = ['ip', '-n', NAMESPACE, 'link', 'set', 'dev', name, 'address', mac]
    const result = await this.#deps.processes.run(argv)
    if (result.code !== 0)
      this.#deps.log.warning('addresses could not be announced', { interface: name })
  }

  async #setUpAll(plugged: readonly (readonly [mac: string, name: string])[]): Promise<void> {
    const { paths, log } = this.#deps
    const missing = new Set<string>()
    for (const [mac, name] of plugged) {
      const text = readTextIfExists(paths.interfaceFile(name))
      if (text === undefined) continue
      try {
        await this.#setUp(mac, JSON.parse(text) as InterfaceFile)
        log.info('an interface was set up', { interface: name })
      } catch (error) {
        missing.add(name)
        // Once only: the card of a network that was unplugged never comes back.
        if (!this.#missing.has(name))
          log.warning('an interface cannot be set up', { interface: name, error })
      }
    }
    this.#missing = missing
  }

  async #findOutside(mac: string): Promise<Nic | undefined> {
    const nics = await this.listNics('outside')
    return nics.find((nic) => nic.mac === mac.toLowerCase())
  }

  async #setUp(mac: string, file: InterfaceFile): Promise<void> {
    const { processes, log } = this.#deps
    const plugged = await this.findPlugged(mac)
    if (plugged === undefined) {
      const nic = await this.#findOutside(mac)
      if (nic === undefined) throw new NoSuchNic(`no network card has the MAC ${mac}`)
      await runOk(processes, ['ip', 'link', 'set', nic.name, 'netns', NAMESPACE, 'name', file.name])
    }
    if (file.if_type === 'vip' && (file.is_sriov || existsSync(this.#deps.paths.vipFilter)))
      await this.#loadFilter()
    // Before the interface comes up: that is when it asks for routers.
    if (isAutomatic(file, 'ipv6auto')) await this.#acceptRouters(file.name)
    const plan = planInterface(file, await this.#found(file.name))
    await this.#batch([], plan.strict)
    if (isAutomatic(file, 'dhcp')) await ensureDhcp(this.#deps, file.name)
    for (const family of [4, 6] as const) await this.#batch([`-${family}`], plan.rules[family])
    const failed = await this.#batch(['-force'], plan.lenient)
    if (failed !== '') log.warning('some routes were refused', { interface: file.name, failed })
    await this.#announce(file.name, mac)
  }

  #writeFilter(rules: readonly PacketRule[]): void {
    const text = renderVipFilter(VIP_INTERFACE, rules)
    writeFileAtomic(this.#deps.paths.vipFilter, text, SECRET_MODE)
  }

  /** That of an earlier life, if there is one: rules come later than the interface. */
  async #loadFilter(): Promise<void> {
    const { processes, paths } = this.#deps
    if (!existsSync(paths.vipFilter)) this.#writeFilter([])
    await runOk(processes, [...IN_NAMESPACE, 'nft', '-f', paths.vipFilter])
  }

  async #acceptRouters(name: string): Promise<void> {
    const conf = `/proc/sys/net/ipv6/conf/${name}`
    const script = `echo 2 >${conf}/accept_ra && echo 1 >${conf}/autoconf`
    await runOk(this.#deps.processes, [...IN_NAMESPACE, 'sh', '-c', script])
  }

  /**
   * Runs lines of `ip`; with `-force` all of them, returning what failed, else throwing at the
   * first.
   */
  async #batch(options: readonly string[], lines: readonly string[]): Promise<string> {
    if (lines.length === 0) return ''
    const argv = ['ip', '-n', NAMESPACE, ...options, '-batch', '-']
    const stdin = `${lines.join('\n')}\n`
    if (!options.includes('-force')) {
      await runOk(this.#deps.processes, argv, { stdin })
      return ''
    }
    const { stderr } = await this.#deps.processes.run(argv, { stdin })
    const errors = stderr.split('\n').filter((line) => line.startsWith('RTNETLINK answers'))
    // The kernel made the subnet's route when it got the address.
    return errors.filter((line) => !line.endsWith('File exists')).join('; ')
  }

  async #found(dev: string) {
    const ip = ['-n', NAMESPACE, '-json']
    const routes = ['route', 'show', 'table', 'all', 'dev', dev, 'proto', 'static']
    const [addresses, routes4, routes6, rules4, rules6] = await Promise.all([
      this.#json<AddrRow>([...ip, 'addr', 'show', 'dev', dev]),
      this.#json<RouteRow>([...ip, '-4', ...routes]),
      this.#json<RouteRow>([...ip, '-6', ...routes]),
      this.#json<RuleRow>([...ip, '-4', 'rule', 'show']),
      this.#json<RuleRow>([...ip, '-6', 'rule', 'show']),
    ])
    return {
      addresses: addresses.flatMap((row) => row.addr_info ?? []),
      routes: [...routes4, ...routes6],
      rules: [...rules4, ...rules6],
    }
  }

  async #json<T>(args: readonly string[]): Promise<readonly T[]> {
    const { stdout } = await runOk(this.#deps.processes, ['ip', ...args])
    // `ip` prints nothing at all for an empty list.
    return stdout.trim() === '' ? [] : (JSON.parse(stdout) as T[])
  }

  #readPlugged(): readonly (readonly [mac: string, name: string])[] {
    const text = readTextIfExists(this.#deps.paths.pluggedInterfaces) ?? ''
    return text.split('\n').flatMap((line) => {
      const [mac, name] = line.trim().split(/\s+/)
      return mac && name ? [[mac, name] as const] : []
    })
  }

  /** One line per interface: a name which gets another card forgets the old one. */
  #notePlugged(mac: string, name: string): void {
    const others = this.#readPlugged().filter(([m, n]) => m !== mac.toLowerCase() && n !== name)
    const lines = [...others, [mac.toLowerCase(), name] as const].map(([m, n]) => `${m} ${n}\n`)
    writeFileAtomic(this.#deps.paths.pluggedInterfaces, lines.join(''))
  }
}

interface LinkRow {
  readonly ifname?: string
  readonly address?: string
  readonly stats64?: { readonly tx?: { bytes?: number }; readonly rx?: { bytes?: number } }
}

interface AddrRow {
  readonly ifname?: string
  readonly addr_info?: readonly AddressRow[]
}
