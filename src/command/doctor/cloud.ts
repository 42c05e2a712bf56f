/**
 * Whether an OpenStack cloud has what `serve` needs of it: with its configuration, as its user, from
 * this host. Nothing is changed.
 */
import { networkInterfaces } from 'node:os'
import type { Config } from '../../config/options.ts'
import { type JsonRecord, number, record, text } from '../../driver/openstack/json.ts'
import type { Session } from '../../driver/openstack/session.ts'
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { GLANCE, NOVA, openOpenStack } from '../serve/openstack.ts'
import { type Api, apiOf } from '../setup/cloud.ts'
import { Doubtful, duration, type Finding, look, Wrong } from './finding.ts'

/** What is asked of a cloud, as the user of serve. */
export interface ServiceCloud {
  readonly session: Session
  readonly nova: Api
  readonly neutron: Api
  readonly glance: Api
}

/** Shorter than serve's own patience: somebody waits. */
const TIMEOUT_S = 15
const IMAGE_WARN_MS = 180 * 86_400_000
/** What a pair with a member network takes. */
const ROOM = { server: 2, port: 7, security_group: 1 } as const

export function usesCloud({ controller_worker: worker }: Config): boolean {
  return (
    worker.compute_driver === 'compute_nova_driver' ||
    worker.network_driver === 'allowed_address_pairs_driver'
  )
}

export function openServiceCloud(
  deps: { readonly clock: Clock; readonly log: Log },
  config: Config,
): ServiceCloud {
  const service_auth = { ...config.service_auth, timeout: TIMEOUT_S }
  const openstack = openOpenStack({
    ...{ ...deps, deployment: '' },
    config: { ...config, service_auth },
  })
  const operation = 'doctor'
  return {
    session: openstack.session(),
    nova: apiOf(openstack.service(NOVA, config.nova), operation),
    neutron: apiOf(openstack.neutron(), operation),
    glance: apiOf(openstack.service(GLANCE, config.glance), operation),
  }
}

export async function checkCloud(
  config: Config,
  cloud: ServiceCloud,
  now: number,
): Promise<readonly Finding[]> {
  const login = await look('our user logs in', async () => {
    const project = await cloud.session.projectId()
    return project === null ? 'without a project' : `in project ${project}`
  })
  if (login.state === 'fail') return [login]
  const worker = config.controller_worker
  const isNova = worker.compute_driver === 'compute_nova_driver'
  const isNeutron = worker.network_driver === 'allowed_address_pairs_driver'
  return await Promise.all([
    login,
    ...(isNova ? computeLooks(config, cloud, now) : []),
    ...(isNova || isNeutron ? networkLooks(config, cloud) : []),
    ...(isNova ? [look('interface on the management network', () => ownInterface(config))] : []),
    look('load balancers in the catalogue', () => inCatalogue(cloud, config)),
  ])
}

function computeLooks(config: Config, cloud: ServiceCloud, now: number): Promise<Finding>[] {
  const { nova } = cloud
  const { amp_flavor_id: flavor, amp_ssh_key_name: key } = config.controller_worker
  return [
    look('flavor of amphorae', async () => {
      const row = await needed(nova, `/flavors/${encodeURIComponent(flavor)}`, 'flavor')
      return `${row.name}: ${row.vcpus} CPU, ${row.ram} MB, ${row.disk} GB`
    }),
    look('image of amphorae', () => image(cloud, config, now)),
    ...(key === ''
      ? []
      : [
          look(`key pair ${key}`, async () => {
            await needed(nova, `/os-keypairs/${encodeURIComponent(key)}`, 'keypair')
            return ''
          }),
        ]),
    look('room in Nova', () => roomInNova(cloud)),
  ]
}

function networkLooks(config: Config, cloud: ServiceCloud): Promise<Finding>[] {
  const { neutron } = cloud
  const { amp_boot_network_list: networks, amp_secgroup_list: groups } = config.controller_worker
  return [
    ...networks.map((id) =>
      look(`network ${id}`, async () => {
        const row = await needed(neutron, `/networks/${encodeURIComponent(id)}`, 'network')
        if (row.status === 'DOWN' || row.admin_state_up === false)
          throw new Wrong('it is down; see openstack network show')
        return String(row.name)
      }),
    ),
    ...groups.map((group) => look(`security group ${group}`, () => securityGroup(cloud, group))),
    look('room in Neutron', () => roomInNeutron(cloud)),
  ]
}

async function needed(api: Api, path: string, key: string): Promise<JsonRecord> {
  const row = await api.get(path, path.slice(1))
  if (row !== undefined) return record(row[key]) ?? {}
  throw new Wrong(`${path.slice(1)} is not there; run octavia-lite setup, or name another one`)
}

async function image({ glance }: ServiceCloud, config: Config, now: number): Promise<string> {
  const { amp_image_tag: tag, amp_image_owner_id: owner } = config.controller_worker
  const query = new URLSearchParams({
    ...{ tag, status: 'active', sort: 'created_at:desc', limit: '1' },
    ...(owner === '' ? {} : { owner }),
  })
  const [newest] = await glance.list(`/images?${query}`, 'images', `tag ${tag}`)
  if (newest === undefined)
    throw new Wrong(`none has the tag ${tag}: octavia-lite image upload FILE --tag ${tag}`)
  const age_ms = now - Date.parse(text(newest.created_at) ?? '')
  const told = `${newest.name} (${newest.id})`
  if (Number.isNaN(age_ms)) return told
  const aged = `${told} of ${duration(age_ms)} ago`
  if (age_ms > IMAGE_WARN_MS)
    throw new Doubtful(
      `${aged}: build and upload a newer one for Debian's security updates, then fail over`,
    )
  return aged
}

/** Nova takes names of groups as well as ids. */
async function securityGroup({ neutron }: ServiceCloud, group: string): Promise<string> {
  const path = `/security-groups/${encodeURIComponent(group)}`
  const byId = await neutron.get(path, `security group ${group}`)
  if (byId !== undefined) return String(record(byId.security_group)?.name ?? '')
  const query = new URLSearchParams({ name: group })
  const named = await neutron.list(`/security-groups?${query}`, 'security_groups', group)
  if (named.length > 0) return String(named[0]?.id)
  throw new Wrong('it is not there; run octavia-lite setup, or correct amp_secgroup_list')
}

async function roomInNova({ nova, session }: ServiceCloud): Promise<string> {
  const path = `/os-quota-sets/${await session.projectId()}/detail`
  const body = await nova.get(path, 'quota of servers')
  const quota = record(body?.quota_set)
  return roomOf('Nova', [['server', record(quota?.instances), 'in_use']])
}

async function roomInNeutron({ neutron, session }: ServiceCloud): Promise<string> {
  const path = `/quotas/${await session.projectId()}/details.json`
  const quota = record((await neutron.get(path, 'quota of ports'))?.quota)
  return roomOf('Neutron', [
    ['port', record(quota?.port), 'used'],
    ['security_group', record(quota?.security_group), 'used'],
  ])
}

type Room = readonly [kind: keyof typeof ROOM, row: JsonRecord | undefined, used: string]

/** A negative limit is none. */
function roomOf(service: string, rooms: readonly Room[]): string {
  const told = rooms.map(([kind, row, usedKey]) => {
    const [limit, used] = [number(row?.limit), number(row?.[usedKey])]
    const what = `${kind.replaceAll('_', ' ')}s`
    if (limit === undefined || used === undefined)
      return { what: `${what} are not counted`, left: 1 }
    if (limit < 0) return { what: `any number of ${what}`, left: Number.POSITIVE_INFINITY }
    const left = limit - used - (number(row?.reserved) ?? 0)
    return { what: `${left} of ${limit} ${what}`, left: left - ROOM[kind] }
  })
  const text = told.map(({ what }) => what).join(', ')
  if (told.every(({ left }) => left >= 0)) return text
  throw new Doubtful(
    `only ${text} left in our project of ${service}, too few for another pair: raise it by openstack quota set`,
  )
}

function ownInterface(config: Config): string {
  const { lb_network_interface: name } = config.haproxy_amphora
  const [address] = networkInterfaces()[name] ?? []
  if (address !== undefined) return `${name}: ${address.cidr}`
  const own = config.health_manager.management_port !== 'none'
  throw new Wrong(
    own
      ? `${name} is not there or has no address; serve makes it when it starts`
      : `${name} is not there or has no address; set [health_manager] management_port = "auto", or make it`,
  )
}

/** Users find us by it. */
async function inCatalogue({ session }: ServiceCloud, { nova }: Config): Promise<string> {
  const asked = { type: 'load-balancer', interfaces: ['public'], name: null, override: null }
  return await session.endpoint({ ...asked, region: nova.region_name })
}
