/** Upstream's own command line against the built-in identity, from the first start on. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemProcesses } from '../../src/system/process.ts'
import { BINARY, createLab, type Lab, labMissing, URL } from './harness.ts'

const OPENSTACK = '/usr/bin/openstack'
const missing =
  labMissing() ??
  (Bun.which(OPENSTACK) === null
    ? 'needs python3-openstackclient, python3-octaviaclient'
    : undefined)

/** The embedded default, with a little less waiting. */
const SETTINGS = '[health_manager]\nheartbeat_interval = 1\n'

async function openstack(env: Readonly<Record<string, string>>, line: string): Promise<unknown> {
  const argv = [OPENSTACK, ...line.split(' '), '-f', 'json']
  const { code, stdout, stderr } = await systemProcesses.run(argv, { timeoutMs: 60_000, env })
  if (code !== 0) throw new Error(`${line}\n${stdout}\n${stderr}`)
  return JSON.parse(stdout)
}

async function octaviaLite(place: Lab, line: string, stdin = ''): Promise<string> {
  const argv = [BINARY, ...line.split(' '), '--config-file', place.config]
  const { code, stdout, stderr } = await systemProcesses.run(argv, { stdin })
  if (code !== 0) throw new Error(`${line}\n${stdout}\n${stderr}`)
  return stdout.trim()
}

test.skipIf(missing !== undefined)(
  `openstack with the built-in identity${missing === undefined ? '' : `: ${missing}`}`,
  async () => {
    const place = createLab(SETTINGS)
    let serve = await place.start()
    const clouds = join(place.folder, 'data', 'clouds.yaml')
    for (const name of ['clouds.yaml', 'token.key'])
      expect(statSync(join(place.folder, 'data', name)).mode & 0o777, name).toBe(0o600)
    const admin = { OS_CLIENT_CONFIG_FILE: clouds, OS_CLOUD: 'octavia-lite' }

    expect(await openstack(admin, 'token issue')).toHaveProperty('project_id')
    expect(await openstack(admin, 'catalog list')).toMatchObject([
      { Type: 'identity' },
      { Type: 'load-balancer' },
      { Type: 'network' },
      { Type: 'key-manager' },
    ])
    expect(await openstack(admin, 'project list')).toMatchObject([{ Name: 'admin' }])
    expect(await openstack(admin, 'user show admin')).toMatchObject({ name: 'admin' })
    expect(await openstack(admin, 'subnet list')).toMatchObject([{ Name: 'vip-net' }, {}])
    const create = 'loadbalancer create --name one --vip-subnet-id vip-net --wait'
    expect(await openstack(admin, create)).toMatchObject({ provisioning_status: 'ACTIVE' })
    expect(await octaviaLite(place, 'jobs list --json')).toMatch(/"load-balancer-create"/)

    await octaviaLite(place, 'project create shop')
    await octaviaLite(place, 'user create ann --project shop --password-stdin', 'ann has one\n')
    const ann = {
      OS_AUTH_URL: `${URL}/identity/v3`,
      OS_USERNAME: 'ann',
      OS_PASSWORD: 'ann has one',
      OS_PROJECT_NAME: 'shop',
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
      OS_IDENTITY_API_VERSION: '3',
    }
    expect(await openstack(ann, 'loadbalancer list')).toEqual([])
    await expect(openstack(ann, 'loadbalancer show one')).rejects.toThrow()
    // Newer releases of the client head their columns with capitals.
    const made = (await openstack(ann, 'application credential create ci')) as
      | { id: string; secret: string }
      | { ID: string; Secret: string }
    const ci = {
      OS_AUTH_TYPE: 'v3applicationcredential',
      OS_AUTH_URL: ann.OS_AUTH_URL,
      OS_APPLICATION_CREDENTIAL_ID: 'id' in made ? made.id : made.ID,
      OS_APPLICATION_CREDENTIAL_SECRET: 'id' in made ? made.secret : made.Secret,
    }
    expect(await openstack(ci, 'loadbalancer list')).toEqual([])

    const { id: token } = (await openstack(ann, 'token issue')) as { id: string }
    const withToken = {
      OS_AUTH_TYPE: 'token_endpoint',
      OS_ENDPOINT: URL,
      OS_TOKEN: token,
    }
    await serve.kill()
    serve = await place.start()
    expect(await openstack(withToken, 'loadbalancer list')).toEqual([])
    await octaviaLite(place, 'user disable ann')
    await expect(openstack(withToken, 'loadbalancer list')).rejects.toThrow('401')
    await expect(openstack(ci, 'loadbalancer list')).rejects.toThrow('401')

    const password = await octaviaLite(place, 'user set-password admin')
    expect(readFileSync(clouds, 'utf8')).toContain(password)
    await openstack(admin, 'loadbalancer list')
    const gone = [OPENSTACK, 'loadbalancer', 'delete', '--cascade', '--wait', 'one']
    expect((await systemProcesses.run(gone, { timeoutMs: 60_000, env: admin })).code).toBe(0)
    expect(serve.log()).not.toContain(password)
    expect(await serve.stop()).toBe(0)
    place.remove()
  },
  300_000,
)
