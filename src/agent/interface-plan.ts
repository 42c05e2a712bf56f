/**
 * From what an interface has to what it must have, as commands of `ip`. Pure. What is there already
 * stays untouched, so planning again plans nothing; what this agent once set and is no longer
 * wanted is removed last. Source: octavia/amphorae/backends/utils/interface.py.
 */
import { parseCidr, parseIp } from '../model/address.ts'
import {
  type InterfaceFile,
  type InterfaceRoute,
  type InterfaceRule,
  type StaticAddress,
  staticAddresses,
} from './interface-file.ts'

/** Rows of `ip -json`, as far as they are looked at. */
export interface AddressRow {
  readonly local?: string
  readonly prefixlen?: number
  readonly scope?: string
  readonly dynamic?: boolean
}
export interface RouteRow {
  readonly dst?: string
  readonly gateway?: string
  readonly prefsrc?: string
  readonly table?: string
}
export interface RuleRow {
  readonly src?: string
  readonly srclen?: number
  readonly table?: string
  readonly protocol?: string
}

export interface Found {
  readonly addresses: readonly AddressRow[]
  /** Static ones, all tables. */
  readonly routes: readonly RouteRow[]
  readonly rules: readonly RuleRow[]
}

export interface Plan {
  /** Lines for `ip -batch`; the first that fails fails the plug. */
  readonly strict: readonly string[]
  /** Rules by family, because `ip` cannot tell it from the rule. */
  readonly rules: Readonly<Record<4 | 6, readonly string[]>>
  /** Lines which may fail: a user's host route can be impossible. */
  readonly lenient: readonly string[]
}

const MAIN_TABLE = '254'

export function planInterface(want: InterfaceFile, have: Found): Plan {
  const dev = want.name
  const mtu = want.mtu === undefined ? '' : ` mtu ${want.mtu}`
  const addresses = planAddresses(want, have)
  const routes = planRoutes(want, have)
  return {
    strict: [`link set dev ${dev}${mtu} up`, ...addresses.add],
    rules: { 4: planRules(want, have, 4), 6: planRules(want, have, 6) },
    lenient: [...routes.add, ...routes.remove, ...addresses.remove],
  }
}

function planAddresses(want: InterfaceFile, have: Found) {
  const wanted = staticAddresses(want)
  const keep = new Set(wanted.map((a) => `${a.address}/${a.prefixlen}`))
  const there = have.addresses.flatMap((row) => {
    const ip = parseIp(row.local ?? '')
    // Link-local and dynamic addresses are the kernel's.
    const ours = ip !== undefined && row.scope !== 'link' && row.dynamic !== true
    return ours ? [`${ip.text}/${row.prefixlen}`] : []
  })
  const missing = wanted.filter(
    (a) => a.octavia_owned !== false && !there.includes(`${a.address}/${a.prefixlen}`),
  )
  return {
    add: missing.map((a) => `addr add ${addressWords(a, want.name)}`),
    remove: there
      .filter((text) => !keep.has(text))
      .map((text) => `addr del ${text} dev ${want.name}`),
  }
}

/**
 * An IPv6 address is used at once: to wait for others who may have it would be an outage, and the
 * network service has seen to it. A VIP is nothing that connections to members leave from, which
 * IPv6 would choose where IPv4 does not.
 */
function addressWords(a: StaticAddress, dev: string): string {
  const text = `${a.address}/${a.prefixlen} dev ${dev}`
  if (!a.address.includes(':')) return text
  return `${text} nodad${a.octavia_owned === true ? ' preferred_lft 0' : ''}`
}

function planRoutes(want: InterfaceFile, have: Found) {
  const wanted = new Map(want.routes.map((route) => [routeKey(route), route]))
  const there = new Map(
    have.routes.map((row) => {
      const route = routeOf(row)
      return [routeKey(route), route]
    }),
  )
  const missing = [...wanted].filter(([key]) => !there.has(key))
  const surplus = [...there].filter(([key]) => !wanted.has(key))
  return {
    add: missing.map(([, route]) => `route add ${routeWords(route, want.name)}`),
    remove: surplus.map(([, route]) => `route del ${routeWords(route, want.name)}`),
  }
}

function routeKey(route: InterfaceRoute): string {
  const table = route.table ?? MAIN_TABLE
  return [route.dst, route.gateway ?? '', route.prefsrc ?? '', table].join(' ')
}

/** `ip -json` says `default`, and leaves `/32` away. */
function routeOf(row: RouteRow): InterfaceRoute {
  const gateway = row.gateway
  const family = (gateway ?? row.prefsrc ?? row.dst ?? '').includes(':') ? 6 : 4
  const dst = row.dst === 'default' ? (family === 6 ? '::/0' : '0.0.0.0/0') : (row.dst ?? '')
  const host = parseIp(dst)
  const full = host === undefined ? dst : `${dst}/${host.family === 6 ? 128 : 32}`
  const table = row.table === undefined || row.table === 'main' ? undefined : Number(row.table)
  return {
    dst: parseCidr(full)?.text ?? full,
    ...(gateway === undefined ? {} : { gateway }),
    ...(row.prefsrc === undefined ? {} : { prefsrc: row.prefsrc }),
    ...(table === undefined ? {} : { table }),
  }
}

function routeWords(route: InterfaceRoute, dev: string): string {
  const words = [route.dst]
  if (route.gateway !== undefined) words.push('via', route.gateway)
  words.push('dev', dev)
  if (route.scope !== undefined) words.push('scope', route.scope)
  if (route.prefsrc !== undefined) words.push('src', route.prefsrc)
  if (route.table !== undefined) words.push('table', String(route.table))
  words.push('proto', 'static')
  if (route.flags?.includes('onlink')) words.push('onlink')
  return words.join(' ')
}

function planRules(want: InterfaceFile, have: Found, family: 4 | 6): readonly string[] {
  if (want.if_type !== 'vip') return []
  const ofFamily = (text: string): boolean => parseIp(text)?.family === family
  const words = (rule: InterfaceRule): string =>
    `from ${rule.src}/${rule.src_len} table ${rule.table}`
  const wanted = want.rules.filter((rule) => ofFamily(rule.src)).map(words)
  const there = have.rules
    .filter((row) => row.src !== undefined && row.src !== 'all' && ofFamily(row.src))
    // In a pair the rules of the VIPs come and go with them.
    .filter((row) => row.protocol !== 'keepalived')
    .map((row) => ({
      src: row.src ?? '',
      src_len: row.srclen ?? (family === 6 ? 128 : 32),
      table: Number(row.table),
    }))
    .filter((rule) => Number.isInteger(rule.table))
    .map(words)
  return [
    ...wanted.filter((rule) => !there.includes(rule)).map((rule) => `rule add ${rule}`),
    ...there.filter((rule) => !wanted.includes(rule)).map((rule) => `rule del ${rule}`),
  ]
}
