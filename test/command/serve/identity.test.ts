/** From options to callers: what of the configuration reaches Keystone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { IDENTITIES } from '../../../src/command/serve/identity.ts'
import { checkConfig } from '../../../src/config/load.ts'
import { present } from '../../../src/system/assert.ts'
import { silentLog } from '../../../src/system/log.ts'
import { createFakeKeystone, SERVICE_PASSWORD } from '../../fake/keystone.ts'
import { createTestCa } from '../../lab/certificates.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const ASKED = { method: 'GET', path: '/v2.0/lbaas/pools' }
const AROUND = { root: false, home: '/home/u', hostname: 'h' }

function identityOf(text: string) {
  const { config, problems } = checkConfig(text, AROUND)
  const checked = present(config, JSON.stringify(problems))
  const { auth_strategy } = checked.api_settings
  if (auth_strategy === 'local') throw new Error('not of these')
  return IDENTITIES[auth_strategy](checked, silentLog)
}

function open(options: Partial<Parameters<typeof createFakeKeystone>[0]> = {}) {
  const keystone = createFakeKeystone({ now: Date.now, ...options })
  stops.push(() => keystone.stop())
  return keystone
}

const keystoneText = (url: string, more: string) => `[api_settings]
auth_strategy = "keystone"
[keystone_authtoken]
auth_url = "${url}"
region_name = "RegionOne"
${more}`

test('a password, a private CA and the URL told to callers', async () => {
  const ca = createTestCa('private')
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-identity-'))
  stops.push(ca.remove, () => rmSync(folder, { recursive: true }))
  const cafile = join(folder, 'ca.pem')
  writeFileSync(cafile, ca.cert)
  const keystone = open({ tls: ca.issue('localhost', 'serverAuth') })
  const identity = identityOf(
    keystoneText(
      `${keystone.url}/v3`,
      `auth_type = "password"
username = "octavia"
password = "${SERVICE_PASSWORD}"
user_domain_name = "Default"
project_name = "service"
default_domain_id = "default"
cafile = "${cafile}"
www_authenticate_uri = "https://public.example"`,
    ),
  )
  const token = keystone.issue({ project_id: 'p', roles: ['member'] })
  const caller = await identity.identify(new Headers({ 'x-auth-token': token }), ASKED)
  expect(caller).toMatchObject({ project_id: 'p', roles: ['member'], is_admin: false })
  expect(keystone.logins).toMatchObject([
    {
      auth: {
        identity: { password: { user: { name: 'octavia', domain: { id: 'default' } } } },
        scope: { project: { name: 'service', domain: { id: 'default' } } },
      },
    },
  ])
  await expect(identity.identify(new Headers(), ASKED)).rejects.toMatchObject({
    challenge: 'Keystone uri="https://public.example"',
  })
})

test('an application credential of another section', async () => {
  const keystone = open()
  const identity = identityOf(
    `${keystoneText(keystone.url, 'auth_section = "service_auth"')}
[service_auth]
auth_type = "v3applicationcredential"
auth_url = "${keystone.url}"
application_credential_id = "cred"
application_credential_secret = "${SERVICE_PASSWORD}"`,
  )
  const token = keystone.issue({ system: true })
  const caller = await identity.identify(new Headers({ 'x-auth-token': token }), ASKED)
  expect(caller).toMatchObject({ system_scope: 'all', project_id: null })
})

test('without Keystone a caller is who he says, an administrator only with noauth', async () => {
  const headers = new Headers({
    'x-project-id': 'p',
    'x-roles': 'member, reader',
    'x-user-id': 'u',
  })
  const caller = { user_id: 'u', project_id: 'p', roles: ['member', 'reader'] }
  const testing = identityOf('[api_settings]\nauth_strategy = "testing"')
  expect(await testing.identify(headers, ASKED)).toEqual({ ...caller, is_admin: false })
  expect((await testing.identify(new Headers(), ASKED)).project_id).toBeNull()
  const noauth = identityOf('[api_settings]\nauth_strategy = "noauth"')
  expect(await noauth.identify(headers, ASKED)).toEqual({ ...caller, is_admin: true })
  expect((await noauth.identify(new Headers(), ASKED)).project_id).toBe('default')
})
