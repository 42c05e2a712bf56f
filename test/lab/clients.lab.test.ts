/** Upstream's own command line, unchanged, against the executable without authentication. */
import { expect, test } from 'vitest'
import { systemProcesses } from '../../src/system/process.ts'
import { createLab, labMissing, URL } from './harness.ts'

const OPENSTACK = '/usr/bin/openstack'
const missing =
  labMissing() ??
  (Bun.which(OPENSTACK) === null
    ? 'needs python3-openstackclient, python3-octaviaclient'
    : undefined)

async function openstack(...args: string[]): Promise<unknown> {
  const argv = [OPENSTACK, '--os-auth-type', 'none', '--os-endpoint', URL, 'loadbalancer', ...args]
  const { code, stdout, stderr } = await systemProcesses.run(argv, { timeoutMs: 60_000 })
  expect(code, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
  return stdout.trim().startsWith('{') || stdout.trim().startsWith('[')
    ? JSON.parse(stdout)
    : stdout
}

test.skipIf(missing !== undefined)(
  `openstack loadbalancer${missing === undefined ? '' : `: ${missing}`}`,
  async () => {
    const lab = createLab()
    const serve = await lab.start()
    const json = ['-f', 'json']
    const created = await openstack(
      'create',
      '--name',
      'cli',
      '--vip-subnet-id',
      'vip-net',
      '--wait',
      ...json,
    )
    expect(created).toMatchObject({ name: 'cli', provisioning_status: 'ACTIVE' })
    expect(await openstack('list', ...json)).toMatchObject([{ name: 'cli', provider: 'amphora' }])
    await openstack(
      'listener',
      'create',
      '--name',
      'l',
      '--protocol',
      'HTTP',
      '--protocol-port',
      '80',
      '--wait',
      'cli',
      ...json,
    )
    await openstack(
      'pool',
      'create',
      '--name',
      'p',
      '--protocol',
      'HTTP',
      '--lb-algorithm',
      'ROUND_ROBIN',
      '--listener',
      'l',
      '--wait',
      ...json,
    )
    await openstack(
      'member',
      'create',
      '--name',
      'm',
      '--address',
      '10.10.10.11',
      '--protocol-port',
      '80',
      '--wait',
      'p',
      ...json,
    )
    await openstack(
      'healthmonitor',
      'create',
      '--name',
      'h',
      '--type',
      'TCP',
      '--delay',
      '5',
      '--timeout',
      '3',
      '--max-retries',
      '2',
      '--wait',
      'p',
      ...json,
    )
    expect(await openstack('show', 'cli', ...json)).toMatchObject({ name: 'cli' })
    expect(await openstack('status', 'show', 'cli')).toMatchObject({
      loadbalancer: {
        name: 'cli',
        listeners: [{ name: 'l', pools: [{ name: 'p', members: [{ name: 'm' }] }] }],
      },
    })
    expect(await openstack('stats', 'show', 'cli', ...json)).toHaveProperty('total_connections')
    await openstack('set', '--name', 'renamed', '--wait', 'cli')
    await openstack('delete', '--cascade', '--wait', 'renamed')
    expect(await openstack('list', ...json)).toEqual([])
    expect(await serve.stop()).toBe(0)
    lab.remove()
  },
  300_000,
)
