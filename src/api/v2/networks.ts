/**
 * Where the local cloud or nothing at all takes Neutron's place, what clients of Octavia ask
 * Neutron: which networks and subnets there are, by id or name, and the ports of VIPs. `openstack
 * loadbalancer create --vip-subnet-id NAME` looks a name up so, Terraform the security groups of a
 * VIP. Reading only; the form is that of Neutron's API v2.0.
 */
import type { Network, Port, Subnet } from '../../driver/network.ts'
import { parseIp } from '../../model/address.ts'
import { fault } from '../../model/fault.ts'
import { type LoadBalancer, loadBalancer } from '../../model/load-balancer.ts'
import { listScope } from '../../policy/check.ts'
import { findRows } from '../../store/repository.ts'
import { RoutingError } from '../faults.ts'
import { selectFields } from '../listing.ts'
import { type Api, allow, type Call, type LocalNetworks, type Route } from '../route.ts'

type View = Readonly<Record<string, unknown>>

/** Parameters that say how to answer, not what to find. */
const NO_FILTERS = ['fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir']

export const NETWORK_ROUTES: readonly Route[] = [
  ...routesOf({ title: 'Network', singular: 'network' }, async ({ local, ids }) => {
    const found = await madeUp(ids, local.madeUp?.findNetwork)
    return [...local.listNetworks(), ...found].map(networkView)
  }),
  ...routesOf({ title: 'Subnet', singular: 'subnet' }, async ({ local, ids }) => {
    const found = await madeUp(ids, local.madeUp?.findSubnet)
    return [...local.listSubnets(), ...found].map(subnetView)
  }),
  ...routesOf({ title: 'Port', singular: 'port' }, async ({ local, ids, api, call }) => {
    const vips = await listVipPorts(api, call)
    const known = new Set(vips.map((view) => view.id))
    const others = ids.filter((id) => !known.has(id))
    return [...vips, ...(await madeUp(others, local.madeUp?.findPort)).map(portView)]
  }),
  ...routesOf(
    { title: 'SecurityGroup', singular: 'security_group', path: 'security-groups' },
    async ({ local, ids }) => madeUp(ids, bareView(local.madeUp?.hasSecurityGroup)),
  ),
  ...routesOf(
    { title: 'Policy', singular: 'policy', plural: 'policies', path: 'qos/policies' },
    async ({ local, ids }) => madeUp(ids, bareView(local.madeUp?.hasQosPolicy)),
  ),
]

async function listVipPorts(api: Api, call: Call): Promise<View[]> {
  const project_id = listScope(api.policy, ...LISTING, call.caller, null)
  const rows = await findRows(api.store.read, loadBalancer, {
    ...(project_id === null ? {} : { project_id }),
    // Who asks for one port does not make us read every load balancer.
    ...(call.params.id === undefined ? {} : { vip_port_id: call.params.id }),
  })
  return rows.filter((row) => row.provisioning_status !== 'DELETED').map(vipPortView)
}

/** What exists because it is asked for. */
async function madeUp<T>(
  ids: readonly string[],
  find: ((id: string) => Promise<T | undefined>) | undefined,
): Promise<T[]> {
  if (find === undefined) return []
  const found = await Promise.all(ids.map(find))
  return found.filter((each) => each !== undefined)
}

/** Of what only its existence is known. */
function bareView(has: ((id: string) => Promise<boolean | undefined>) | undefined) {
  if (has === undefined) return undefined
  return async (id: string) => ((await has(id)) ? { id, name: `noop-${id}` } : undefined)
}

/** Whose VIPs a caller sees: those of the load balancers which they may list. */
const LISTING = ['loadbalancer:get_all', 'loadbalancer:get_all-global'] as const

interface Names {
  readonly title: string
  readonly singular: string
  /** Default: the singular with an s. */
  readonly plural?: string
  /** Default: the plural. */
  readonly path?: string
}

interface Asked {
  readonly local: LocalNetworks
  /** Those that the request names. */
  readonly ids: readonly string[]
  readonly api: Api
  readonly call: Call
}

function routesOf(names: Names, views: (asked: Asked) => Promise<readonly View[]>): Route[] {
  const { title, singular, plural = `${singular}s`, path = plural } = names
  const visible = async (api: Api, call: Call): Promise<readonly View[]> => {
    allow(call, call.caller.project_id)
    const { localNetworks: local } = api
    if (local === null) throw new RoutingError(404)
    const { id } = call.params
    return views({ local, ids: id === undefined ? call.query.getAll('id') : [id], api, call })
  }
  return [
    {
      method: 'GET',
      area: 'network',
      path: `/${path}`,
      rule: 'network:get_all',
      summary: `List the ${plural} that there are without Neutron.`,
      status: 200,
      answer: { wrapper: plural },
      handle: async (api, call) => {
        const found = (await visible(api, call)).filter((view) => matches(view, call.query))
        const fields = call.query.getAll('fields')
        const wanted = fields.length === 0 ? null : fields
        return { [plural]: found.map((view) => selectFields(view, wanted)) }
      },
    },
    {
      method: 'GET',
      area: 'network',
      path: `/${path}/:id`,
      rule: 'network:get_all',
      summary: `Show one of the ${plural} that there are without Neutron.`,
      status: 200,
      answer: { wrapper: singular },
      handle: async (api, call) => {
        const { id = '' } = call.params
        const view = (await visible(api, call)).find((each) => each.id === id)
        if (view === undefined) throw fault.notFound(title, id)
        return { [singular]: view }
      },
    },
  ]
}

function matches(view: View, query: URLSearchParams): boolean {
  const names = [...new Set(query.keys())].filter((name) => !NO_FILTERS.includes(name))
  return names.every((name) => query.getAll(name).includes(String(view[name])))
}

function networkView({ id, name, mtu, subnet_ids, port_security_enabled }: Network): View {
  const state = { status: 'ACTIVE', admin_state_up: true, shared: true }
  return { id, name, mtu, subnets: subnet_ids, port_security_enabled, ...state }
}

function subnetView({ id, name, network_id, cidr, gateway_ip, host_routes }: Subnet): View {
  const ip_version = parseIp(cidr.split('/')[0] ?? '')?.family ?? 4
  return { id, name, network_id, cidr, ip_version, gateway_ip, host_routes, enable_dhcp: false }
}

function portView({ device_id, device_owner, fixed_ips, ...port }: Port): View {
  return { ...port, device_id, device_owner, fixed_ips, security_groups: [], status: 'DOWN' }
}

/** Only of the port that all its addresses are on. */
function vipPortView(row: LoadBalancer): View {
  const vips = [
    { subnet_id: row.vip_subnet_id, ip_address: row.vip_address },
    ...row.additional_vips,
  ]
  return {
    id: row.vip_port_id,
    name: `octavia-lb-${row.id}`,
    network_id: row.vip_network_id,
    fixed_ips: vips.map(({ subnet_id, ip_address }) => ({ subnet_id, ip_address })),
    device_id: `lb-${row.id}`,
    device_owner: 'Octavia',
    project_id: row.project_id,
    tenant_id: row.project_id,
    security_groups: row.vip_sg_ids,
    status: 'ACTIVE',
    admin_state_up: row.admin_state_up,
  }
}
