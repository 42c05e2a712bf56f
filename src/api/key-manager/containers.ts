/** Containers: secrets that belong together, as a certificate and its key. */
import { Fault } from '../../model/fault.ts'
import { parseCreate } from '../../model/request.ts'
import { CERTIFICATE_PARTS, containerFields, type SecretPart } from '../../model/secret.ts'
import { parseReference } from '../../model/secret-reference.ts'
import {
  type ContainerRow,
  findContainer,
  listContainers,
  listParts,
  type PartRow,
} from '../../store/secrets.ts'
import { timestamp } from '../../system/clock.ts'
import { consumerRoute } from './consumers.ts'
import {
  getOwn,
  type KeyManagerApi,
  type KeyManagerRoute,
  listAnswer,
  pageOf,
  projectOf,
} from './route.ts'

export const CONTAINER_ROUTES: readonly KeyManagerRoute[] = [
  {
    method: 'GET',
    path: '/v1/containers',
    rule: 'secret:get_all',
    handle: async (api, call) => {
      const where: Record<string, string> = { project_id: projectOf(api, call) }
      for (const name of ['name', 'type']) {
        const value = call.query.get(name)
        if (value !== null) where[name] = value
      }
      const { rows, total } = await listContainers(api.store.read, where, pageOf(call.query))
      const parts = await partsOf(api, rows)
      const views = rows.map((row) => containerView(row, parts.get(row.id) ?? [], call.base))
      return listAnswer(call, 'containers', views, total)
    },
  },
  {
    method: 'POST',
    path: '/v1/containers',
    rule: 'secret:post',
    handle: async (api, call) => {
      const project_id = projectOf(api, call)
      const body = await call.json()
      const values = parseCreate(containerFields, body, 'container', api.settings.defaults)
      const parts = partsIn(values.type, values.secret_refs)
      const now = timestamp(api.clock.now())
      const row = {
        ...{ id: api.newId(), project_id, creator_id: call.caller.user_id },
        ...{ name: values.name, type: values.type, created_at: now, updated_at: now },
      }
      await api.vault.createContainer(row, parts)
      const container_ref = `${call.base}/containers/${row.id}`
      return { status: 201, body: { container_ref }, headers: { location: container_ref } }
    },
  },
  {
    method: 'GET',
    path: '/v1/containers/:id',
    rule: 'secret:get_one',
    handle: async (api, call) => {
      const row = await getOwn(api, call, findContainer)
      const parts = await partsOf(api, [row])
      return { status: 200, body: containerView(row, parts.get(row.id) ?? [], call.base) }
    },
  },
  {
    method: 'DELETE',
    path: '/v1/containers/:id',
    rule: 'secret:delete',
    handle: async (api, call) => {
      const { id } = await getOwn(api, call, findContainer)
      await api.vault.remove('secret_container', id)
      return { status: 204 }
    },
  },
  {
    method: 'GET',
    path: '/v1/containers/:id/acl',
    rule: 'secret:get_one',
    handle: async (api, call) => {
      await getOwn(api, call, findContainer)
      return { status: 200, body: { read: { 'project-access': true } } }
    },
  },
  consumerRoute('containers', (api, call) => getOwn(api, call, findContainer)),
]

function partsIn(
  type: 'certificate' | 'generic',
  refs: readonly SecretPart[],
): Omit<PartRow, 'container_id'>[] {
  const names = refs.map(({ name }) => name)
  if (new Set(names).size < names.length)
    throw new Fault(400, 'Each secret of a container has a name of its own.')
  if (type === 'certificate') {
    const known: readonly string[] = CERTIFICATE_PARTS
    if (!names.includes('certificate') || !names.every((name) => known.includes(name)))
      throw new Fault(
        400,
        `A container of a certificate has one named certificate, and may have ${known.slice(1).join(', ')}.`,
      )
  }
  return refs.map(({ name, secret_ref }) => {
    const found = parseReference(secret_ref)
    if (found?.kind !== 'secrets')
      throw new Fault(400, `The reference of ${name} is to no secret here.`)
    return { name, secret_id: found.id }
  })
}

async function partsOf(
  { store }: KeyManagerApi,
  rows: readonly ContainerRow[],
): Promise<ReadonlyMap<string, readonly PartRow[]>> {
  const parts = await listParts(
    store.read,
    'container_id',
    rows.map(({ id }) => id),
  )
  return Map.groupBy(parts, ({ container_id }) => container_id)
}

function containerView(row: ContainerRow, parts: readonly PartRow[], base: string) {
  return {
    container_ref: `${base}/containers/${row.id}`,
    name: row.name === '' ? null : row.name,
    type: row.type,
    status: 'ACTIVE',
    created: row.created_at,
    updated: row.updated_at,
    creator_id: row.creator_id,
    secret_refs: parts.map(({ name, secret_id }) => ({
      name,
      secret_ref: `${base}/secrets/${secret_id}`,
    })),
    consumers: [],
  }
}
