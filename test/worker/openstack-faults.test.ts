/**
 * What becomes of a load balancer when the cloud under it fails: the whole controller in one
 * process over fakes of Keystone, Nova, Neutron and Glance that break in the ways clouds break.
 * Whatever happens, it ends ACTIVE or in ERROR with a sentence that names the cause, and once it is
 * deleted nothing is left in the cloud.
 */
import { afterEach, expect, test } from 'vitest'
import type { FakeCloudServices } from '../driver/openstack/cloud.ts'
import type { Row } from '../fake/neutron.ts'
import { LBS, openController } from './openstack.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const setUp = async () => {
  const controller = await openController()
  stops.push(controller.stop)
  return controller
}

const MINUTE = 60_000

function leftovers({ neutron, nova }: FakeCloudServices): readonly string[] {
  return [...neutron.leftovers(), ...nova.leftovers()]
}

const forbidden = { forbidden: { code: 403, message: 'Policy does not allow it' } }
const quota = { forbidden: { code: 403, message: 'Quota exceeded for cores, instances' } }
type Break = (cloud: FakeCloudServices) => unknown

/** The port of an amphora on the VIP network goes as soon as it is there. */
const loseBasePort: Break = ({ neutron, nova }) =>
  nova.when(/POST .*os-interface/, () =>
    neutron.when(/GET .security-groups/, () => {
      for (const port of [...neutron.ports.values()])
        if (port.name.startsWith('octavia-lb-vrrp-')) neutron.ports.delete(port.id)
    }),
  )

const ERRORS: readonly (readonly [string, Break, RegExp])[] = [
  [
    'a role is missing in Neutron',
    ({ neutron }) => neutron.fail({ on: /POST .security-groups/, status: 403, body: forbidden }),
    /set-vip-rules of load balancer .*Neutron does not let our user.*give it the role/,
  ],
  [
    'a role is missing in Nova',
    ({ nova }) => nova.fail({ on: /POST .servers$/, status: 403, body: forbidden }),
    /build of amphora .*Nova does not let our user/,
  ],
  [
    'the quota of ports is full',
    ({ neutron, nova }) =>
      nova.when(/POST .servers$/, () => Object.assign(neutron.quota, { ports: 2 })),
    /plug-vip of amphora .*a quota of Neutron is used up: .*'port'.*openstack quota set/,
  ],
  [
    'the quota of security groups is full',
    ({ neutron }) => Object.assign(neutron.quota, { groups: 0 }),
    /set-vip-rules of .*a quota of Neutron is used up/,
  ],
  [
    'the quota of rules is full',
    ({ neutron }) => Object.assign(neutron.quota, { rules: 0 }),
    /set-vip-rules of .*a quota of Neutron is used up/,
  ],
  [
    'the quota of servers is full',
    ({ nova }) => nova.fail({ on: /POST .servers$/, status: 403, body: quota }),
    /build of amphora .*a quota of Nova is used up: Quota exceeded for cores, instances/,
  ],
  [
    'no host has room',
    ({ nova }) => Object.assign(nova, { full: true, console: '' }),
    /boot of amphora .*No valid host was found.*no compute host has room for the flavor/,
  ],
  [
    'there is no image',
    ({ glance }) => glance.images.splice(0),
    /find-image of tag amphora: Glance has no active image.*openstack image set --tag/,
  ],
  [
    'the image has lost its tag',
    ({ glance }) => Object.assign(glance.images[0] ?? {}, { tags: ['other'] }),
    /find-image of tag amphora: Glance has no active image/,
  ],
  [
    'the flavor is gone',
    ({ nova }) => nova.flavors.clear(),
    /build of amphora .*Flavor amphora could not be found/,
  ],
  [
    'the VIP port is deleted behind our back',
    ({ nova, neutron }) =>
      nova.when(/POST .servers$/, () => {
        for (const port of [...neutron.ports.values()])
          if (port.device_owner === 'Octavia') neutron.ports.delete(port.id)
      }),
    /set-vip-rules of .*port .* is gone.*failover/,
  ],
  ['the port of an amphora is deleted behind our back', loseBasePort, /port .* is gone/],
  [
    'Nova is down for an hour',
    (cloud) => cloud.nova.when(/POST .servers$/, () => cloud.outage(cloud.nova, 60 * MINUTE)),
    /Nova at http:.*no connection/,
  ],
]

test.each(ERRORS)('%s: an ERROR that says so, and nothing is left', async (_, broken, said) => {
  const { cloud, create, status, reason, remove, idle } = await setUp()
  broken(cloud)
  const { status: code, body } = await create()
  expect(code, JSON.stringify(body)).toBe(201)
  const { id } = body.loadbalancer
  await idle()
  expect(await status(id)).toBe('ERROR')
  expect(await reason()).toMatch(said)
  // What the row still owns: its VIP.
  const owned = [`octavia-lb-${id}`, `lb-${id}`]
  // Only whoever is still away can keep something.
  const isAway = (await reason()).includes('no connection')
  expect(await reason()).toMatch(isAway ? /left behind/ : /^(?!.*left behind)/)
  if (!isAway) expect(leftovers(cloud).filter((name) => !owned.includes(name))).toEqual([])
  await cloud.clock.sleep(60 * MINUTE)
  await remove(id)
  expect(await status(id).catch(() => 'gone')).toBe('gone')
  expect(leftovers(cloud)).toEqual([])
})

test('an amphora whose port was deleted behind our back can be replaced', async () => {
  const { cloud, harness, create, status, reason, remove, idle } = await setUp()
  const { id } = (await create()).body.loadbalancer
  await idle()
  const { ports } = cloud.neutron
  const isBase = (port: Row): boolean => port.name.startsWith('octavia-lb-vrrp-')
  for (const port of [...ports.values()].filter(isBase)) ports.delete(port.id)
  expect((await harness.send('PUT', `${LBS}/${id}/failover`)).status).toBe(202)
  await idle()
  expect(await status(id), await reason()).toBe('ACTIVE')
  expect([...ports.values()].filter(isBase)).toHaveLength(1)
  await remove(id)
  expect(leftovers(cloud)).toEqual([])
})

/** In the middle: the server is asked for, and nothing else is there yet. */
const whenBooting = ({ nova }: FakeCloudServices, act: () => unknown) =>
  nova.when(/POST .servers$/, act)

const WAITS: readonly (readonly [string, Break])[] = [
  [
    'Nova is down for ten minutes',
    (cloud) => whenBooting(cloud, () => cloud.outage(cloud.nova, 10 * MINUTE)),
  ],
  [
    'Neutron is down for ten minutes',
    (cloud) => whenBooting(cloud, () => cloud.outage(cloud.neutron, 10 * MINUTE)),
  ],
  [
    'Neutron is down for ten minutes, and conflicts with itself when it returns',
    (cloud) =>
      whenBooting(cloud, () => {
        cloud.outage(cloud.neutron, 10 * MINUTE)
        cloud.neutron.fail({ on: /POST .ports/, status: 409, times: 4 })
      }),
  ],
  [
    'Keystone is down for ten minutes, and our token is revoked',
    (cloud) =>
      whenBooting(cloud, () => {
        cloud.keystone.revokeServiceTokens()
        cloud.outage(cloud.keystone, 10 * MINUTE)
      }),
  ],
  ['our token ends', (cloud) => whenBooting(cloud, () => cloud.keystone.revokeServiceTokens())],
  [
    'everybody is asked too often',
    ({ nova, neutron, glance }) => {
      for (const service of [nova, neutron, glance])
        service.fail({ on: /./, status: 429, times: 3, headers: { 'retry-after': '3' } })
    },
  ],
  [
    'everybody is busy for a while',
    ({ nova, neutron }) => {
      neutron.fail({ on: /POST .security-groups/, status: 503, times: 30 })
      nova.fail({ on: /os-interface/, status: 503, times: 30 })
    },
  ],
  [
    'Nova makes a server and does not say so',
    ({ nova }) => nova.fail({ on: /POST .servers$/, status: 504, times: 1, after: true }),
  ],
  [
    'Neutron makes a port and does not say so',
    ({ neutron, nova }) =>
      nova.when(/GET .servers/, () =>
        neutron.fail({ on: /POST .ports/, status: 504, times: 1, after: true }),
      ),
  ],
  [
    'Nova plugs a port in and does not say so',
    ({ nova }) => nova.fail({ on: /POST .*os-interface/, status: 500, times: 1, after: true }),
  ],
  [
    'Neutron conflicts with itself for a while',
    ({ neutron }) => neutron.fail({ on: /PUT .ports/, status: 409, times: 4 }),
  ],
]

test.each(WAITS)('%s: it waits and becomes ACTIVE', async (_, broken) => {
  const { cloud, create, status, reason, remove, idle } = await setUp()
  broken(cloud)
  const { status: code, body } = await create()
  expect(code, JSON.stringify(body)).toBe(201)
  const { id } = body.loadbalancer
  await idle()
  expect([await status(id), await reason()]).toEqual(['ACTIVE', ''])
  const [server, ...more] = [...cloud.nova.servers.values()]
  expect(more).toEqual([])
  const ofServer = [...cloud.neutron.ports.values()].filter((p) => p.device_id === server?.id)
  expect(ofServer.map(({ name }) => name.replace(/-[0-9a-f-]+$/, '')).toSorted()).toEqual([
    '',
    'octavia-lb-vrrp',
  ])
  await remove(id)
  expect(leftovers(cloud)).toEqual([])
})

test('a port that Neutron could not bind is plugged in again, whatever Nova says of it', async () => {
  const { cloud, create, status, reason, idle } = await setUp()
  const { nova, neutron } = cloud
  const bindAs = (type: string) => () => {
    for (const port of neutron.ports.values())
      if (port.name.startsWith('octavia-lb-vrrp-')) port['binding:vif_type'] = type
  }
  nova.fail({ on: /POST .*os-interface/, status: 500, times: 1, after: true })
  nova.when(/GET .*os-interface./, bindAs('binding_failed'))
  nova.when(/POST .*os-interface/, () => nova.when(/POST .*os-interface/, bindAs('bridge')))
  const { id } = (await create()).body.loadbalancer
  await idle()
  expect([await status(id), await reason()]).toEqual(['ACTIVE', ''])
  expect(nova.requests.filter((each) => /POST .*os-interface/.test(each))).toHaveLength(2)
})

test('a wrong password is told at once, and nothing is made', async () => {
  const { cloud, harness, create } = await setUp()
  cloud.keystone.failWith(401)
  const { status, body } = await create()
  expect([status, body.faultstring]).toEqual([
    500,
    expect.stringMatching(/Keystone answered 401|authenticate failed/),
  ])
  cloud.keystone.failWith(null)
  expect((await harness.send('GET', LBS)).body.loadbalancers).toEqual([])
  expect(leftovers(cloud)).toEqual([])
})

test('a VIP port over quota refuses the request, and nothing is left', async () => {
  const { cloud, create, harness } = await setUp()
  cloud.neutron.quota.ports = 0
  const { status, body } = await create()
  expect([status, body.faultstring]).toEqual([500, expect.stringContaining('quota of Neutron')])
  expect((await harness.send('GET', LBS)).body.loadbalancers).toEqual([])
  expect(leftovers(cloud)).toEqual([])
})

test('an agent that never answers: the end of the console is part of the reason', async () => {
  const { cloud, create, reason, idle } = await setUp()
  cloud.nova.console = 'cloud-init: root password is hunter2\nKernel panic - not syncing\n'
  cloud.nova.fail({ on: /os-interface$/, status: 404 })
  await create()
  await idle()
  const said = await reason()
  expect(said).toMatch(/no address on the management network; console of amphora .*Kernel panic/)
  expect(said).not.toContain('hunter2')
})
