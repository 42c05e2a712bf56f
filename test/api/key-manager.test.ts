/** The store of secrets over HTTP: what Barbican's clients ask, who may, and who is told what. */
import { beforeEach, expect, test } from 'vitest'
import { createCa } from '../../src/driver/local/certificate.ts'
import { CONTENT_BYTES_MAX } from '../../src/secret/vault.ts'
import { newId } from '../../src/system/ids.ts'
import { createHarness, type Harness, makeTree, PROJECT } from './harness.ts'
import { createKeyManager, TESTING } from './key-manager-harness.ts'

const OTHER = 'fedcba9876543210fedcba9876543210'
const CALLERS = {
  member: { 'x-roles': 'member,reader', 'x-project-id': PROJECT, 'x-user-id': 'ann' },
  reader: { 'x-roles': 'reader', 'x-project-id': PROJECT },
  stranger: { 'x-roles': 'member,reader', 'x-project-id': OTHER },
  admin: { 'x-roles': 'admin', 'x-project-id': OTHER },
} as const
type Who = keyof typeof CALLERS

const V1 = '/key-manager/v1'
const SECRETS = `${V1}/secrets`
const CONTAINERS = `${V1}/containers`

interface Got {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers are inspected
  readonly body: any
  readonly bytes: Buffer
  readonly headers: Headers
}

let harness: Harness
let send: (who: Who, method: string, url: string, body?: unknown, headers?: object) => Promise<Got>

beforeEach(async () => {
  const { app, store, certificateManager } = await createKeyManager()
  harness = createHarness({ api: { store, certificateManager, identity: TESTING } })
  send = async (who, method, url, body, headers = {}) => {
    const plain = typeof body === 'string' || body instanceof Uint8Array
    const answer = await app.handle(
      new Request(url.startsWith('http') ? url : `http://lb.example:9876${url}`, {
        method,
        headers: {
          ...(plain ? {} : { 'content-type': 'application/json' }),
          ...CALLERS[who],
          ...headers,
        },
        ...(body === undefined ? {} : { body: plain ? body : JSON.stringify(body) }),
      }),
    )
    const bytes = Buffer.from(await answer.arrayBuffer())
    const json = answer.headers.get('content-type') === 'application/json'
    const parsed = json ? JSON.parse(bytes.toString('utf8')) : undefined
    return { status: answer.status, body: parsed, bytes, headers: answer.headers }
  }
})

const TEXT = { payload: 'sesame', payload_content_type: 'text/plain' }

async function store(over: object = {}): Promise<string> {
  const { status, body } = await send('member', 'POST', SECRETS, { ...TEXT, ...over })
  expect(status).toBe(201)
  return body.secret_ref
}

async function contain(parts: Readonly<Record<string, string>>, name = 'web'): Promise<string> {
  const secret_refs = Object.entries(parts).map(([part, secret_ref]) => ({
    name: part,
    secret_ref,
  }))
  const body = { name, type: 'certificate', secret_refs }
  const answer = await send('member', 'POST', CONTAINERS, body)
  expect([answer.status, answer.body.description]).toEqual([201, undefined])
  return answer.body.container_ref
}

test('clients find versions without a token', async () => {
  for (const path of ['/key-manager', '/key-manager/', V1, `${V1}/`]) {
    const { status, body } = await send('member', 'GET', path)
    const version = body.version ?? body.versions.values[0]
    expect([status, version.id]).toEqual([200, 'v1'])
    expect(version.links).toEqual([{ rel: 'self', href: `http://lb.example:9876${V1}/` }])
  }
})

test('text is stored, shown without its content, and read', async () => {
  const ref = await store({ name: 'hello', secret_type: 'passphrase', expiration: '2027-01-01' })
  expect(ref).toMatch(/^http:\/\/lb\.example:9876\/key-manager\/v1\/secrets\/[0-9a-f-]{36}$/)
  const shown = await send('reader', 'GET', ref)
  expect(shown.body).toEqual({
    ...{ secret_ref: ref, name: 'hello', status: 'ACTIVE', secret_type: 'passphrase' },
    ...{ algorithm: null, bit_length: null, mode: null, expiration: '2027-01-01T00:00:00' },
    ...{ created: '2026-01-02T03:04:05', updated: '2026-01-02T03:04:05', creator_id: 'ann' },
    ...{ content_types: { default: 'text/plain' }, consumers: [] },
  })
  const read = await send('member', 'GET', `${ref}/payload`, undefined, { accept: 'text/plain' })
  expect([read.status, read.bytes.toString(), read.headers.get('content-type')]).toEqual([
    ...[200, 'sesame', 'text/plain'],
  ])
  expect((await send('member', 'GET', `${ref}/acl`)).body).toEqual({
    read: { 'project-access': true },
  })
})

test('bytes go in as base64, or later by themselves, and only once', async () => {
  const bytes = Buffer.from([0, 255, 1, 254, 10])
  const base64 = { payload_content_type: 'application/octet-stream' }
  const ref = await store({
    ...base64,
    payload: bytes.toString('base64'),
    payload_content_encoding: 'base64',
  })
  expect((await send('member', 'GET', `${ref}/payload`)).bytes).toEqual(bytes)
  const { body } = await send('member', 'POST', `${SECRETS}/`, { name: 'later' })
  const later = body.secret_ref
  expect((await send('member', 'GET', later)).body.status).toBe('PENDING')
  expect((await send('member', 'GET', `${later}/payload`)).status).toBe(404)
  const octets = { 'content-type': 'application/octet-stream' }
  expect((await send('member', 'PUT', later, bytes, octets)).status).toBe(204)
  expect((await send('member', 'GET', `${later}/payload`)).bytes).toEqual(bytes)
  expect((await send('member', 'PUT', later, bytes, octets)).status).toBe(409)
})

test.each<[string, object, number, RegExp]>([
  ['no JSON object', [], 400, /^Invalid input/],
  ['an unknown attribute', { ...TEXT, nope: 1 }, 400, /^Unknown attribute/],
  ['no type', { payload: 'x' }, 415, /text\/plain, application\/octet-stream/],
  ['another type', { payload: 'x', payload_content_type: 'text/html' }, 415, /text\/plain/],
  ['text in base64', { ...TEXT, payload_content_encoding: 'base64' }, 400, /must not be given/],
  [
    'bytes as they are',
    { payload: 'x', payload_content_type: 'application/octet-stream' },
    ...[400, /must be base64/],
  ] as never,
  [
    'bytes that are no base64',
    {
      payload: 'secret!',
      payload_content_type: 'application/octet-stream',
      payload_content_encoding: 'base64',
    },
    ...[400, /^The payload is no base64\.$/],
  ] as never,
  ['nothing', { ...TEXT, payload: '' }, 400, /is empty/],
  ['too much', { ...TEXT, payload: 'x'.repeat(CONTENT_BYTES_MAX + 1) }, 413, /at most 65536/],
  ['a type nobody knows', { ...TEXT, secret_type: 'x' }, 400, /^Invalid input/],
  ['an end in the past', { ...TEXT, expiration: '2020-01-01T00:00:00Z' }, 400, /before/],
  ['an end that is no time', { ...TEXT, expiration: 'soon' }, 400, /is a time/],
  ['a line break in a name', { ...TEXT, name: 'a\nb' }, 400, /control characters/],
])('a secret of %s is refused and nothing is stored', async (_, body, code, description) => {
  const answer = await send('member', 'POST', SECRETS, body)
  expect(answer.body).toMatchObject({ code, description: expect.stringMatching(description) })
  expect(JSON.stringify(answer.body)).not.toContain('secret!')
  expect((await send('member', 'GET', SECRETS)).body.total).toBe(0)
})

test('lists are of the own project, filtered and in pages', async () => {
  for (let at = 0; at < 12; at++) await store({ name: at % 2 === 0 ? 'even' : 'odd' })
  expect((await send('stranger', 'GET', SECRETS)).body).toEqual({ secrets: [], total: 0 })
  const first = (await send('reader', 'GET', SECRETS)).body
  expect([first.total, first.secrets.length, first.previous]).toEqual([12, 10, undefined])
  const second = (await send('reader', 'GET', first.next)).body
  expect([second.secrets.length, second.next]).toEqual([2, undefined])
  const odd = (await send('reader', 'GET', `${SECRETS}?name=odd&secret_type=opaque&limit=100`)).body
  expect(odd.total).toBe(6)
  expect((await send('reader', 'GET', `${SECRETS}?sort=name`)).status).toBe(400)
  expect((await send('reader', 'GET', `${SECRETS}?limit=-1`)).status).toBe(400)
})

test.each<[Who, string, string, number]>([
  ['reader', 'GET', '', 200],
  ['reader', 'GET', '/payload', 403],
  ['reader', 'DELETE', '', 403],
  ['reader', 'PUT', '', 403],
  ['stranger', 'GET', '', 403],
  ['stranger', 'GET', '/payload', 403],
  ['stranger', 'GET', '/consumers', 403],
  ['stranger', 'DELETE', '', 403],
  ['admin', 'DELETE', '', 204],
  ['member', 'POST', '', 405],
])('%s: %s of a secret%s is %d', async (who, method, path, status) => {
  const ref = await store()
  const body = method === 'PUT' ? 'text' : undefined
  const answer = await send(who, method, `${ref}${path}`, body, { 'content-type': 'text/plain' })
  expect(answer.status).toBe(status)
  expect(answer.bytes.toString()).not.toContain('sesame')
})

test('who only reads makes none, and what is not there is 404', async () => {
  expect((await send('reader', 'POST', SECRETS, TEXT)).status).toBe(403)
  expect((await send('reader', 'POST', CONTAINERS, { type: 'generic' })).status).toBe(403)
  for (const path of [`${SECRETS}/${newId()}`, `${CONTAINERS}/x`, `${V1}/orders`])
    expect((await send('member', 'GET', path)).body).toMatchObject({
      code: 404,
      title: 'Not Found',
    })
})

test('a container names its parts, and goes without them', async () => {
  const [certificate, private_key] = [await store(), await store()]
  const ref = await contain({ certificate, private_key })
  const { body } = await send('reader', 'GET', ref)
  expect(body).toMatchObject({ name: 'web', type: 'certificate', status: 'ACTIVE' })
  expect(body.secret_refs).toEqual([
    { name: 'certificate', secret_ref: certificate },
    { name: 'private_key', secret_ref: private_key },
  ])
  expect((await send('reader', 'GET', `${CONTAINERS}?type=certificate`)).body.total).toBe(1)
  expect((await send('member', 'DELETE', ref)).status).toBe(204)
  expect((await send('member', 'GET', certificate)).status).toBe(200)
})

test.each<[string, (ref: string) => object, number]>([
  ['of another type', () => ({ type: 'rsa' }), 400],
  ['without a certificate', () => ({ type: 'certificate', secret_refs: [] }), 400],
  [
    'with a part nobody knows',
    (secret_ref) => ({
      type: 'certificate',
      secret_refs: ['certificate', 'x'].map((name) => ({ name, secret_ref })),
    }),
    400,
  ],
  [
    'with two parts of one name',
    (secret_ref) => ({
      type: 'generic',
      secret_refs: ['x', 'x'].map((name) => ({ name, secret_ref })),
    }),
    400,
  ],
  [
    'with a secret that is not there',
    () => ({
      type: 'generic',
      secret_refs: [{ name: 'x', secret_ref: `http://h/v1/secrets/${newId()}` }],
    }),
    404,
  ],
  [
    'with a reference to no secret',
    () => ({ type: 'generic', secret_refs: [{ name: 'x', secret_ref: 'http://h/x' }] }),
    400,
  ],
])('a container %s is refused', async (_, body, status) => {
  const answer = await send('member', 'POST', CONTAINERS, body(await store()))
  expect(answer.status).toBe(status)
  expect((await send('member', 'GET', CONTAINERS)).body.total).toBe(0)
})

test('a secret of another project is in no container', async () => {
  const secret_refs = [{ name: 'x', secret_ref: await store() }]
  const answer = await send('stranger', 'POST', CONTAINERS, { type: 'generic', secret_refs })
  expect(answer.status).toBe(404)
})

const LISTENERS = '/v2.0/lbaas/listeners'
const WEB = await createCa('web.example', 1)
const storeWeb = async (): Promise<readonly [certificate: string, container: string]> => {
  const certificate = await store({ payload: WEB.certificate })
  const private_key = await store({ payload: WEB.key })
  return [certificate, await contain({ certificate, private_key })]
}
const listenerOf = (ids: { readonly lb: string }, over: object) => ({
  listener: { loadbalancer_id: ids.lb, protocol: 'TERMINATED_HTTPS', protocol_port: 443, ...over },
})

test('a listener takes references of its project, which it then keeps from deletion', async () => {
  const ids = await makeTree(asMember())
  const [certificate, ref] = await storeWeb()
  const [, sni] = await storeWeb()
  const missing = ref.replace(/[^/]*$/, newId())
  const listen = (who: Who, default_tls_container_ref: string, over: object = {}) =>
    harness.send(
      'POST',
      LISTENERS,
      listenerOf(ids, { default_tls_container_ref, name: 'front', ...over }),
      { ...CALLERS[who] },
    )
  const unreadable = await listen('member', missing)
  expect([unreadable.status, unreadable.body.faultstring]).toEqual([
    ...[400, `Could not retrieve certificate: ['${missing}']`],
  ])
  const made = await listen('member', ref, { sni_container_refs: [sni] })
  expect([made.status, made.body.faultstring]).toEqual([201, undefined])
  const { id } = made.body.listener
  const user = { service: 'octavia', resource_type: 'listener', resource_id: id }
  for (const each of [ref, certificate, sni]) {
    const { body } = await send('reader', 'GET', `${each}/consumers`)
    expect(body).toMatchObject({ consumers: [user], total: 1 })
    expect((await send('member', 'DELETE', each)).body).toMatchObject({
      ...{ code: 409, description: `It is in use by listener front (${id}).` },
    })
  }
  expect((await send('member', 'GET', certificate)).body.consumers).toEqual([user])
})

test('references of other projects are as good as none, but for administrators', async () => {
  const ids = await makeTree(asMember())
  const [, ref] = await storeWeb()
  await harness.store.transaction(async (tx) => {
    for (const table of ['secret', 'secret_container'])
      await tx.updateTable(table).set({ project_id: 'another' }).execute()
  })
  const listen = (who: Who) =>
    harness.send('POST', LISTENERS, listenerOf(ids, { default_tls_container_ref: ref }), {
      ...CALLERS[who],
    })
  expect((await listen('member')).body.faultstring).toMatch(/^Could not retrieve certificate/)
  const allowed = await listen('admin')
  expect([allowed.status, allowed.body.faultstring]).toEqual([201, undefined])
})

/** The harness as a member of the project. */
function asMember(): Harness {
  return {
    ...harness,
    send: (method, path, body, headers) =>
      harness.send(method, path, body, { ...CALLERS.member, ...headers }),
  }
}
