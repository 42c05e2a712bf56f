/** Secrets: made, filled once, listed, read and deleted. */
import { Fault } from '../../model/fault.ts'
import { parseCreate } from '../../model/request.ts'
import { secretFields } from '../../model/secret.ts'
import { findSecret, listSecrets, type SecretRow } from '../../store/secrets.ts'
import { timestamp } from '../../system/clock.ts'
import { consumerRoute, consumerView } from './consumers.ts'
import { payloadOf, payloadSent } from './payload.ts'
import { getOwn, type KeyManagerRoute, listAnswer, pageOf, projectOf } from './route.ts'

/** Parameter to column. */
const FILTERS = {
  name: 'name',
  alg: 'algorithm',
  mode: 'mode',
  bits: 'bit_length',
  secret_type: 'secret_type',
} as const
const IGNORED = ['limit', 'offset']

export const SECRET_ROUTES: readonly KeyManagerRoute[] = [
  {
    method: 'GET',
    path: '/v1/secrets',
    rule: 'secret:get_all',
    handle: async (api, call) => {
      const project_id = projectOf(api, call)
      const where = { project_id, ...filtersOf(call.query) }
      const { rows, total } = await listSecrets(api.store.read, where, pageOf(call.query))
      return listAnswer(
        call,
        'secrets',
        rows.map((row) => secretView(row, call.base)),
        total,
      )
    },
  },
  {
    method: 'POST',
    path: '/v1/secrets',
    rule: 'secret:post',
    handle: async (api, call) => {
      const project_id = projectOf(api, call)
      const body = await call.json()
      const values = parseCreate(secretFields, body, 'secret', api.settings.defaults)
      const { name, secret_type, algorithm, bit_length, mode, expiration } = values
      const now_ms = api.clock.now()
      const now = timestamp(now_ms)
      const id = api.newId()
      const row = {
        ...{ id, project_id, creator_id: call.caller.user_id, name, secret_type },
        ...{ algorithm, bit_length, mode, expires_at: expiryOf(expiration, now_ms) },
        ...{ created_at: now, updated_at: now },
      }
      await api.vault.createSecret(row, payloadOf(values))
      const secret_ref = `${call.base}/secrets/${id}`
      return { status: 201, body: { secret_ref }, headers: { location: secret_ref } }
    },
  },
  {
    method: 'GET',
    path: '/v1/secrets/:id',
    rule: 'secret:get_one',
    handle: async (api, call) => {
      const row = await getOwn(api, call, findSecret)
      const consumers = (await api.vault.listConsumers(row.id)).map(consumerView)
      return { status: 200, body: { ...secretView(row, call.base), consumers } }
    },
  },
  {
    method: 'PUT',
    path: '/v1/secrets/:id',
    rule: 'secret:put',
    handle: async (api, call) => {
      const { id } = await getOwn(api, call, findSecret)
      const payload = payloadSent(call.headers, await call.bytes())
      await api.vault.putPayload(id, payload, timestamp(api.clock.now()))
      return { status: 204 }
    },
  },
  {
    method: 'DELETE',
    path: '/v1/secrets/:id',
    rule: 'secret:delete',
    handle: async (api, call) => {
      const { id } = await getOwn(api, call, findSecret)
      await api.vault.remove('secret', id)
      return { status: 204 }
    },
  },
  {
    method: 'GET',
    path: '/v1/secrets/:id/payload',
    rule: 'secret:get_payload',
    handle: async (api, call) => {
      const payload = api.vault.open(await getOwn(api, call, findSecret))
      if (payload === undefined) throw new Fault(404, 'The secret has no payload yet.')
      return { status: 200, content: { bytes: payload.content, type: payload.content_type } }
    },
  },
  // Clients look at these; nothing can be set.
  {
    method: 'GET',
    path: '/v1/secrets/:id/acl',
    rule: 'secret:get_one',
    handle: async (api, call) => {
      await getOwn(api, call, findSecret)
      return { status: 200, body: { read: { 'project-access': true } } }
    },
  },
  {
    method: 'GET',
    path: '/v1/secrets/:id/metadata',
    rule: 'secret:get_one',
    handle: async (api, call) => {
      await getOwn(api, call, findSecret)
      return { status: 200, body: { metadata: {} } }
    },
  },
  consumerRoute('secrets', (api, call) => getOwn(api, call, findSecret)),
]

function filtersOf(query: URLSearchParams): Readonly<Partial<Record<keyof SecretRow, string>>> {
  const where: Partial<Record<keyof SecretRow, string>> = {}
  for (const [name, value] of query) {
    if (IGNORED.includes(name)) continue
    if (!Object.hasOwn(FILTERS, name))
      throw new Fault(400, `Secrets cannot be filtered by ${name.slice(0, 100)} here.`)
    where[FILTERS[name as keyof typeof FILTERS]] = value
  }
  return where
}

function expiryOf(said: string | null, now_ms: number): string | null {
  if (said === null || said === '') return null
  // A time without a zone is UTC, as everywhere in OpenStack.
  const ms = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(said) ? said : `${said}Z`)
  if (Number.isNaN(ms)) throw new Fault(400, 'expiration is a time: YYYY-MM-DDTHH:MM:SS.')
  if (ms <= now_ms) throw new Fault(400, 'expiration is before the current time.')
  return timestamp(ms)
}

function secretView(row: SecretRow, base: string) {
  const { id, name, secret_type, algorithm, bit_length, mode, expires_at, content_type } = row
  return {
    secret_ref: `${base}/secrets/${id}`,
    name: name === '' ? null : name,
    status: content_type === null ? 'PENDING' : 'ACTIVE',
    secret_type,
    algorithm,
    bit_length,
    mode,
    expiration: expires_at,
    created: row.created_at,
    updated: row.updated_at,
    creator_id: row.creator_id,
    ...(content_type === null ? {} : { content_types: { default: content_type } }),
    consumers: [],
  }
}
