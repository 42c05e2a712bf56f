/** Credentials as clients of OpenStack find them, against the built-in identity on a real port. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CloudOptions, type Environment, openCloud } from '../../src/command/cloud-login.ts'
import { cloudsFileIn, replacePassword, writeClouds } from '../../src/command/clouds-file.ts'
import { createIdentityHarness, JOE } from '../api/identity-harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-login-'))
let server: Bun.Server<undefined>
let url = ''

beforeAll(async () => {
  const { send } = await createIdentityHarness()
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      const text = await request.text()
      const { pathname, search } = new URL(request.url)
      const headers = Object.fromEntries(request.headers)
      const body = text === '' ? undefined : text
      const answer = await send(request.method, `${pathname}${search}`, body, headers)
      // The harness has a host of its own in its links.
      const json = JSON.stringify(answer.body ?? null).replaceAll('http://lb.example:9876', url)
      return new Response(json, { status: answer.status, headers: answer.headers })
    },
  })
  url = server.url.origin
  const file = join(folder, 'clouds.yaml')
  const cloud = { auth_url: `${url}/identity`, username: 'joe', region_name: 'RegionOne' }
  writeClouds(file, { ...cloud, password: JOE.password, project_name: 'demo' })
})

afterAll(async () => {
  await server.stop(true)
  rmSync(folder, { recursive: true })
})

const variables = (): Environment => ({
  OS_AUTH_URL: `${url}/identity/v3/`,
  OS_USERNAME: 'joe',
  OS_PASSWORD: JOE.password,
  OS_PROJECT_NAME: 'demo',
})
const file = (): Environment => ({ OS_CLIENT_CONFIG_FILE: join(folder, 'clouds.yaml') })

/** Environment, options, and what a failure says; undefined is success. */
const CASES: readonly [string, () => Environment, CloudOptions, RegExp | undefined][] = [
  ['variables', variables, {}, undefined],
  [
    'variables, a domain by name',
    () => ({ ...variables(), OS_USER_DOMAIN_NAME: 'Default' }),
    {},
    undefined,
  ],
  ['a wrong password', () => ({ ...variables(), OS_PASSWORD: 'x' }), {}, /401 The request/],
  ['no password', () => ({ ...variables(), OS_PASSWORD: '' }), {}, /OS_PASSWORD/],
  ['another region', () => ({ ...variables(), OS_REGION_NAME: 'x' }), {}, /no load-balancer/],
  ['OS_CLOUD', () => ({ ...file(), OS_CLOUD: 'octavia-lite' }), {}, undefined],
  ['an option for the cloud', file, { cloud: 'octavia-lite' }, undefined],
  ['a cloud that is not there', file, { cloud: 'other' }, /no cloud other/],
  ['the file beside the data', () => ({}), { data_dir: folder }, undefined],
  ['the cloud beside the data', () => ({}), { data_dir: folder, cloud: 'octavia-lite' }, undefined],
  [
    'an unknown kind',
    () => ({ ...variables(), OS_AUTH_TYPE: 'v3oidc' }),
    {},
    /v3oidc is not known/,
  ],
]

test.each(CASES)('%s', async (_name, env, options, failure) => {
  const opening = openCloud(env(), options)
  if (failure !== undefined) return await expect(opening).rejects.toThrow(failure)
  const cloud = await opening
  expect(cloud.endpoint).toBe(url)
  const { status, text } = await cloud.request('GET', '/v2.0/lbaas/pools')
  expect([status, JSON.parse(text)]).toEqual([200, { pools: [], pools_links: [] }])
})

test('nothing named is the API of this machine, without a token', async () => {
  expect(await openCloud({})).toMatchObject({ endpoint: 'http://127.0.0.1:9876', token: null })
  const none = { OS_AUTH_TYPE: 'none', OS_ENDPOINT: `${url}/v2.0/` }
  const cloud = await openCloud(none)
  expect(cloud).toMatchObject({ endpoint: url, token: null })
  expect((await cloud.request('GET', '/v2.0/lbaas/pools')).status).toBe(401)
})

test('a token and an application credential', async () => {
  const { token, request } = await openCloud(variables())
  const env = { OS_AUTH_TYPE: 'v3token', OS_AUTH_URL: `${url}/identity`, OS_TOKEN: token ?? '' }
  expect((await openCloud({ ...env, OS_PROJECT_NAME: 'demo' })).endpoint).toBe(url)
  const shown = await request('GET', '/identity/v3/users')
  const [user] = (JSON.parse(shown.text) as { users: { id: string }[] }).users
  const path = `/identity/v3/users/${user?.id}/application_credentials`
  const made = await request('POST', path, { application_credential: { name: 'cli' } })
  const { id, secret } = JSON.parse(made.text).application_credential
  const credential = {
    OS_AUTH_URL: `${url}/identity`,
    OS_AUTH_TYPE: 'v3applicationcredential',
    OS_APPLICATION_CREDENTIAL_ID: id,
    OS_APPLICATION_CREDENTIAL_SECRET: secret,
  }
  expect((await openCloud(credential)).endpoint).toBe(url)
})

test('what is no clouds.yaml is told without its content', async () => {
  const bad = join(folder, 'bad')
  mkdirSync(bad, { recursive: true })
  writeFileSync(cloudsFileIn(bad), 'clouds: [password: secret-word\n')
  const opening = openCloud({}, { data_dir: bad })
  await expect(opening).rejects.toThrow(/bad\/clouds.yaml is no clouds.yaml$/)
})

test('a new password is put into the file of its user, and nothing else changes', () => {
  const other = join(folder, 'other')
  mkdirSync(other, { recursive: true })
  const path = cloudsFileIn(other)
  const cloud = { auth_url: url, username: 'a"d\\min', project_name: 'p', region_name: 'R' }
  writeClouds(path, { ...cloud, password: 'old "$& one' })
  expect(replacePassword(path, 'joe', 'new')).toBe(false)
  expect(replacePassword(path, cloud.username, 'new "$& one')).toBe(true)
  expect(replacePassword(path, cloud.username, 'again')).toBe(true)
  expect(replacePassword(join(folder, 'none', 'clouds.yaml'), 'joe', 'new')).toBe(false)
})
