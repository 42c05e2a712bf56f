/** The one load balancer of a family: what its rows wish for in one request, and what it became. */
import type { OctaviaClient } from '../../../src/command/demo/client.ts'
import type { Place } from './place.ts'
import { impossibleIn, type ListenerMade, type MatrixRow, type Wish } from './row.ts'

const FIRST_PORT = 2_000

export interface Made {
  readonly load_balancer_id: string
  readonly vip: string
  /** Of the other family. */
  readonly additional_vip: string
  listenersOf(row: MatrixRow): readonly ListenerMade[]
}

interface Named {
  readonly row: MatrixRow
  readonly wish: Wish
  readonly name: string
  readonly port: number
}

export async function makeLoadBalancer(
  client: OctaviaClient,
  place: Place,
  subnets: { readonly vip_subnet_id: string; readonly other: string },
  rows: readonly MatrixRow[],
): Promise<Made> {
  const named: Named[] = rows
    .filter((row) => impossibleIn(row, place.family) === undefined)
    .flatMap((row) => (row.listeners?.(place) ?? []).map((wish) => ({ row, wish })))
    .map(({ row, wish }, at) => ({ row, wish, name: `l${at}`, port: FIRST_PORT + at }))
  const listeners = named.map(({ wish, name, port }) => ({
    ...withPoolNames(wish, name),
    ...{ name, protocol_port: port },
  }))
  const { vip_subnet_id, other } = subnets
  const additional_vips = [{ subnet_id: other }]
  const loadbalancer = { name: place.family, vip_subnet_id, additional_vips, listeners }
  const load_balancer_id = await client.create('loadbalancers', { loadbalancer })
  const shown = await client.call('GET', `loadbalancers/${load_balancer_id}`)
  const vip = String(shown.vip_address)
  const [additional] = shown.additional_vips as readonly { ip_address: string }[]
  const made = (await client.call(
    'GET',
    `listeners?load_balancer_id=${load_balancer_id}`,
  )) as unknown as readonly { id: string; name: string; default_pool_id: string | null }[]
  return {
    load_balancer_id,
    vip,
    additional_vip: additional?.ip_address ?? '',
    listenersOf: (row) =>
      named
        .filter((each) => each.row === row)
        .map(({ name, port }) => {
          const found = made.find((listener) => listener.name === name)
          if (found === undefined) throw new Error(`listener ${name} was not made`)
          const { id, default_pool_id } = found
          return { id, port, url: urlOf(vip, port), default_pool_id: default_pool_id ?? '' }
        }),
  }
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Every pool of a request needs a name of its own. */
function withPoolNames(value: Wish, name: string): Wish {
  let count = 0
  const named = (each: unknown, key: string): unknown => {
    if (Array.isArray(each)) return each.map((item) => named(item, ''))
    if (typeof each !== 'object' || each === null) return each
    const inside = Object.entries(each).map(([inner, item]) => [inner, named(item, inner)])
    const isPool = key === 'default_pool' || key === 'redirect_pool'
    return { ...(isPool ? { name: `${name}-${count++}` } : {}), ...Object.fromEntries(inside) }
  }
  return named(value, '') as Wish
}
