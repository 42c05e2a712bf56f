/**
 * What is in a cloud that has the form of what we make: by its name, its owner and the project of
 * our user, with whose it is as far as it says so. Whether anybody needs it is not decided here.
 */
import { parseUuid } from '../../system/ids.ts'
import type { Thing } from '../inventory.ts'
import { OCTAVIA_OWNER, vipDeviceId } from '../port-names.ts'
import { type JsonRecord, record, records, text } from './json.ts'
import { DEPLOYMENT_KEY, deploymentIn } from './mark.ts'
import type { Neutron } from './neutron.ts'
import { META } from './server.ts'
import type { Service } from './service.ts'

export interface InventoryDeps {
  /** null where amphorae, or networks, are not there. */
  readonly nova: Service | null
  readonly neutron: Neutron | null
  readonly cinder: Service | null
  readonly projectId: () => Promise<string | null>
}

const PAGES_MAX = 200
const DOING = { operation: 'list', subject: 'what is ours' } as const

/** Oldest dependents first: in this order they can be removed. */
export async function listThings(deps: InventoryDeps): Promise<readonly Thing[]> {
  const { nova, neutron, cinder } = deps
  const project = await deps.projectId()
  const servers = nova === null ? [] : await listPages(nova, '/servers/detail', 'servers')
  const volumes = cinder === null ? [] : await listPages(cinder, '/volumes/detail', 'volumes')
  const groups = nova === null ? [] : await listServerGroups(nova)
  return [
    ...servers.flatMap(toServer),
    ...(neutron === null ? [] : await listPorts(neutron, project)),
    ...(neutron === null || project === null ? [] : await listGroups(neutron, project)),
    ...groups.flatMap(toServerGroup),
    ...volumes.flatMap(toVolume),
  ]
}

/** Success when it is gone. */
export async function removeThing(deps: InventoryDeps, { kind, id, name }: Thing): Promise<void> {
  const doing = { operation: `delete-${kind.replaceAll(' ', '-')}`, subject: `${name} (${id})` }
  const remove = async (service: Service | null, path: string, expect: readonly number[]) => {
    await service?.request({ ...doing, method: 'DELETE', path: `${path}/${id}`, expect })
  }
  if (kind === 'server') await remove(deps.nova, '/servers', [404])
  if (kind === 'server group') await remove(deps.nova, '/os-server-groups', [404])
  // 400: a server has it, and takes it along.
  if (kind === 'volume') await remove(deps.cinder, '/volumes', [400, 404])
  if (kind === 'port') await deps.neutron?.remove('ports', id, doing)
  if (kind === 'security group') await deps.neutron?.remove('security-groups', id, doing)
}

/** Whether the thing of a row is there, whatever its form: a port may be the user's own. */
export async function isThere(
  { nova, neutron }: InventoryDeps,
  kind: 'server' | 'port',
  id: string,
): Promise<boolean> {
  if (kind === 'port') return neutron === null || (await neutron.find('ports', id)) !== undefined
  if (nova === null) return true
  const asked = { operation: 'look-up', subject: `server ${id}`, method: 'GET', expect: [404] }
  return (await nova.request({ ...asked, path: `/servers/${id}` })).status !== 404
}

/** Pages by marker, as Nova and Cinder have them where an operator has limited lists. */
async function listPages(service: Service, path: string, key: string): Promise<JsonRecord[]> {
  const found: JsonRecord[] = []
  for (let page = 0; page < PAGES_MAX; page++) {
    const last = text(found.at(-1)?.id)
    const query = last === undefined ? '' : `?${new URLSearchParams({ marker: last })}`
    const { body } = await service.request({ ...DOING, method: 'GET', path: `${path}${query}` })
    found.push(...records(record(body)?.[key]))
    if (records(record(body)?.[`${key}_links`]).every(({ rel }) => rel !== 'next')) break
  }
  return found
}

const GROUPS_PER_PAGE = 1_000

async function listServerGroups(nova: Service): Promise<JsonRecord[]> {
  const found: JsonRecord[] = []
  for (let page = 0; page < PAGES_MAX; page++) {
    const path = `/os-server-groups?limit=${GROUPS_PER_PAGE}&offset=${page * GROUPS_PER_PAGE}`
    const { body } = await nova.request({ ...DOING, method: 'GET', path })
    const groups = records(record(body)?.server_groups)
    found.push(...groups)
    if (groups.length < GROUPS_PER_PAGE) break
  }
  return found
}

async function listPorts(neutron: Neutron, project: string | null): Promise<readonly Thing[]> {
  const vips = await neutron.list('ports', { device_owner: OCTAVIA_OWNER }, DOING)
  const own = project === null ? [] : await neutron.list('ports', { project_id: project }, DOING)
  const rows = new Map([...vips, ...own].map((row) => [text(row.id), row]))
  return [...rows.values()].flatMap((row) => toPort(row, project))
}

async function listGroups(neutron: Neutron, project_id: string): Promise<readonly Thing[]> {
  const rows = await neutron.list('security-groups', { project_id }, DOING)
  return rows.flatMap(toGroup)
}

function toServer(row: JsonRecord): readonly Thing[] {
  const metadata = record(row.metadata) ?? {}
  const amphora_id = uuidOf(metadata[META.amphora])
  const deployment = text(metadata[DEPLOYMENT_KEY]) ?? null
  const isNamed = row.name === `amphora-${amphora_id}` || deployment !== null
  const goes = text(row['OS-EXT-STS:task_state']) === 'deleting' || row.status === 'DELETED'
  if (amphora_id === null || !isNamed || goes) return []
  return thing('server', row, {
    ...{ deployment, amphora_id },
    load_balancer_id: uuidOf(metadata[META.load_balancer]),
  })
}

/** A port of a VIP is mostly in a user's project; ports of amphorae are in ours. */
function toPort(row: JsonRecord, project: string | null): readonly Thing[] {
  const [, kind, id] =
    /^octavia-lb-(vrrp-|member-)?([0-9a-f-]{36})$/.exec(text(row.name) ?? '') ?? []
  const uuid = uuidOf(id)
  if (uuid === null) return []
  const owner = text(row.device_owner) ?? ''
  const deployment = deploymentIn(text(row.description))
  if (kind === undefined)
    return owner === OCTAVIA_OWNER && row.device_id === vipDeviceId(uuid)
      ? thing('port', row, { deployment, amphora_id: null, load_balancer_id: uuid })
      : []
  // Nova writes its own owner when it plugs the port in, and none when it takes it out.
  const isOfAmphora = owner === OCTAVIA_OWNER || owner === '' || owner.startsWith('compute:')
  const isInOurs = project !== null && (text(row.project_id) ?? row.tenant_id) === project
  return isOfAmphora && isInOurs
    ? thing('port', row, { deployment, amphora_id: uuid, load_balancer_id: null })
    : []
}

function toGroup(row: JsonRecord): readonly Thing[] {
  const id = uuidOf(/^lb-(.+)$/.exec(text(row.name) ?? '')?.[1])
  if (id === null) return []
  const deployment = deploymentIn(text(row.description))
  return thing('security group', row, { deployment, amphora_id: null, load_balancer_id: id })
}

/** They can carry no mark. */
function toServerGroup(row: JsonRecord): readonly Thing[] {
  const id = uuidOf(/^octavia-lb-(.+)$/.exec(text(row.name) ?? '')?.[1])
  if (id === null) return []
  return thing('server group', row, { deployment: null, amphora_id: null, load_balancer_id: id })
}

function toVolume(row: JsonRecord): readonly Thing[] {
  const id = uuidOf(/^octavia-lb-boot-(.+)$/.exec(text(row.name) ?? '')?.[1])
  if (id === null) return []
  const deployment = text(record(row.metadata)?.[DEPLOYMENT_KEY]) ?? null
  return thing('volume', row, { deployment, amphora_id: id, load_balancer_id: null })
}

type Owner = Pick<Thing, 'deployment' | 'amphora_id' | 'load_balancer_id'>

function thing(kind: Thing['kind'], row: JsonRecord, owner: Owner): readonly Thing[] {
  const id = text(row.id)
  return id === undefined ? [] : [{ kind, id, name: text(row.name) ?? '', ...owner }]
}

function uuidOf(value: unknown): string | null {
  const given = text(value)
  return given !== undefined && parseUuid(given) === given ? given : null
}
