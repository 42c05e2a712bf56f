/** What Neutron has to have: the management network, and who may talk to whom on it. */
import { type JsonRecord, number, text } from '../../driver/openstack/json.ts'
import { type Cloud, idOf, madeId } from './cloud.ts'
import type { Ids, Thing } from './thing.ts'

export interface NetworkPlan {
  readonly network: string
  readonly cidr: string
  /** First and last address; null is all of the subnet. */
  readonly pool: readonly [first: string, last: string] | null
  /** `provider:network_type` and the like; empty leaves it to Neutron. */
  readonly provider: Readonly<Record<string, string | number>>
  readonly agent_port: number
  readonly heartbeat_port: number
}

/** Names of upstream's installation guide, which other tools know. */
const SUBNET = 'lb-mgmt-subnet'
const AMPHORA_GROUP = 'lb-mgmt-sec-grp'
const CONTROLLER_GROUP = 'lb-health-mgr-sec-grp'

export function networkThings(cloud: Cloud, plan: NetworkPlan): readonly Thing[] {
  const family = plan.cidr.includes(':') ? 'IPv6' : 'IPv4'
  const tcp = (port: number) => ({ protocol: 'tcp', port })
  const icmp = { protocol: family === 'IPv6' ? 'ipv6-icmp' : 'icmp', port: null }
  const rules = (key: string, group: string, wanted: readonly Wanted[]): Thing[] =>
    wanted.map((each) => rule(cloud, { key, group, family, ...each }))
  return [
    network(cloud, plan),
    subnet(cloud, plan),
    group(cloud, 'group-amphora', AMPHORA_GROUP),
    ...rules('group-amphora', AMPHORA_GROUP, [icmp, tcp(22), tcp(plan.agent_port)]),
    group(cloud, 'group-controller', CONTROLLER_GROUP),
    ...rules('group-controller', CONTROLLER_GROUP, [
      { protocol: 'udp', port: plan.heartbeat_port },
    ]),
  ]
}

function network({ neutron }: Cloud, { network: name, provider }: NetworkPlan): Thing {
  const title = `network ${name}`
  return {
    key: 'network',
    title,
    find: async () => {
      const [row] = await neutron.list(
        `/networks?${new URLSearchParams({ name })}`,
        'networks',
        title,
      )
      return idOf(row)
    },
    make: async (ids) => {
      const values = { name, project_id: ids.get('project'), ...provider }
      return madeId(await neutron.create('/networks', 'network', values, title), title)
    },
    remove: (id) => neutron.remove(`/networks/${id}`, title),
  }
}

function subnet({ neutron }: Cloud, { cidr, pool }: NetworkPlan): Thing {
  const title = `subnet ${SUBNET} ${cidr}`
  return {
    key: 'subnet',
    title,
    // Whatever subnet the network has does.
    find: async (ids) => {
      const network_id = ids.find('network')
      if (network_id === undefined) return undefined
      const query = new URLSearchParams({ network_id })
      const [row] = await neutron.list(`/subnets?${query}`, 'subnets', title)
      return idOf(row)
    },
    make: async (ids) => {
      const values = {
        name: SUBNET,
        project_id: ids.get('project'),
        network_id: ids.get('network'),
        cidr,
        ip_version: cidr.includes(':') ? 6 : 4,
        // Amphorae and controllers are in it; nothing else has to be reached.
        gateway_ip: null,
        ...(pool === null ? {} : { allocation_pools: [{ start: pool[0], end: pool[1] }] }),
      }
      return madeId(await neutron.create('/subnets', 'subnet', values, title), title)
    },
    remove: (id) => neutron.remove(`/subnets/${id}`, title),
  }
}

function group({ neutron }: Cloud, key: string, name: string): Thing {
  const title = `security group ${name}`
  return {
    key,
    title,
    find: async (ids) => {
      const project_id = ids.find('project')
      if (project_id === undefined) return undefined
      const query = new URLSearchParams({ name, project_id })
      const [row] = await neutron.list(`/security-groups?${query}`, 'security_groups', title)
      return idOf(row)
    },
    make: async (ids) => {
      const values = { name, project_id: ids.get('project'), description: 'octavia-lite' }
      return madeId(
        await neutron.create('/security-groups', 'security_group', values, title),
        title,
      )
    },
    remove: (id) => neutron.remove(`/security-groups/${id}`, title),
  }
}

interface Wanted {
  readonly protocol: string
  /** null is all of the protocol. */
  readonly port: number | null
}

interface RulePlan extends Wanted {
  readonly key: string
  readonly group: string
  readonly family: string
}

/** Open to whoever is on the management network, which nobody else is on. */
function rule({ neutron }: Cloud, plan: RulePlan): Thing {
  const { protocol, port, family, group } = plan
  const what = port === null ? protocol : `${protocol} ${port}`
  const title = `rule of ${group}: ${what}`
  const isIt = (row: JsonRecord): boolean =>
    row.direction === 'ingress' &&
    row.ethertype === family &&
    text(row.protocol) === protocol &&
    (port === null || number(row.port_range_min) === port)
  const groupOf = (ids: Ids): string | undefined => ids.find(plan.key)
  return {
    key: `${plan.key}-${what.replaceAll(' ', '-')}`,
    title,
    find: async (ids) => {
      const security_group_id = groupOf(ids)
      if (security_group_id === undefined) return undefined
      const query = new URLSearchParams({ security_group_id })
      const path = `/security-group-rules?${query}`
      return idOf((await neutron.list(path, 'security_group_rules', title)).find(isIt))
    },
    make: async (ids) => {
      const values = {
        security_group_id: ids.get(plan.key),
        direction: 'ingress',
        ethertype: family,
        protocol,
        ...(port === null ? {} : { port_range_min: port, port_range_max: port }),
      }
      const path = '/security-group-rules'
      return madeId(await neutron.create(path, 'security_group_rule', values, title), title)
    },
    remove: (id) => neutron.remove(`/security-group-rules/${id}`, title),
  }
}
