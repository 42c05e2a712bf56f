/**
 * Where the local cloud takes Neutron's place, what clients of Octavia ask Neutron: which networks
 * and subnets there are, by id or name, and the ports of VIPs. `openstack loadbalancer create
 * --vip-subnet-id NAME` looks a name up so, Terraform the security groups of a VIP. Reading only;
 * the form is that of Neutron's API v2.0.
 */
import type { Network, Subnet } from '../../driver/network.ts'
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
  ...routesOf('Network', 'network', async (local) => local.listNetworks().map(networkView)),
  ...routesOf('Subnet', 'subnet', async (local) => local.listSubnets().map(subnetView)),
  ...routesOf('Port', 'port', async (_local, api, call) => {
    const project_id = listScope(api.policy, ...LISTING, call.caller, null)
    const rows = await findRows(api.store.read, loadBalancer, {
      ...(project_id === null ? {} : { project_id }),
      // Who asks for one port does not make us read every load balancer.
      ...(call.params.id === undefined ? {} : { vip_port_id: call.params.id }),
    })
    return rows.filter((row) => row.provisioning_status !== 'DELETED').map(vipPortView)
  }),
]

/** Whose VIPs a caller sees: those of the load balancers which they may list. */
const LISTING = ['loadbalancer:get_all', 'loadbalancer:get_all-global'] as const

function routesOf(
  title: string,
  singular: string,
  views: (local: LocalNetworks, api: Api, call: Call) => Promise<readonly View[]>,
): Route[] {
  const plural = `${singular}s`
  const visible = async (api: Api, call: Call): Promise<readonly View[]> => {
    allow(call, call.caller.project_id)
    if (api.localNetworks === null) throw new RoutingError(404)
    return views(api.localNetworks, api, call)
  }
  return [
    {
      method: 'GET',
      area: 'root',
      path: `/v2.0/${plural}`,
      rule: 'network:get_all',
      summary: `List the ${plural} of the local cloud.`,
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
      area: 'root',
      path: `/v2.0/${plural}/:id`,
      rule: 'network:get_all',
      summary: `Show one of the ${plural} of the local cloud.`,
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
