/** What is asked of a server, request by request; this one has whatever is asked for. */
import { expect, test } from 'vitest'
import type { Fetch } from '../../../src/command/cloud-login.ts'
import { createFakeClock } from '../../fake/clock.ts'
import { run } from './harness.ts'

const ID = '11111111-2222-4333-8444-555555555555'

/** Lists find one thing, of any name; everything else is answered with it. */
function createRecorder(over: Readonly<Record<string, unknown>> = {}) {
  const requests: string[] = []
  const thing = {
    id: ID,
    name: 'thing',
    loadbalancers: [{ id: ID }],
    provisioning_status: 'ACTIVE',
  }
  const fetch: Fetch = async (url, init) => {
    const { pathname, search } = new URL(url)
    const path = pathname.replace('/v2.0/', '')
    const body = typeof init.body === 'string' ? ` ${init.body}` : ''
    requests.push(`${init.method} ${path}${decodeURIComponent(search)}${body}`)
    const collection =
      path.split('/').at(-1)?.replace('availabilityzone', 'availability_zone') ?? ''
    const plural = collection
      .replace(/security-groups/, 'security_groups')
      .replace('availability_zoneprofiles', 'availability_zone_profiles')
    const answers: Record<string, unknown> = {
      [`GET ${path}`]: search !== '' || plural.endsWith('s') ? { [plural]: [thing] } : { thing },
      ...over,
    }
    const answer = over[`${init.method} ${path}`] ?? answers[`${init.method} ${path}`] ?? { thing }
    return new Response(JSON.stringify(answer), { status: 200 })
  }
  return { requests, fetch, clock: createFakeClock({ jump: true }) }
}

const CASES: readonly (readonly [string, readonly string[]])[] = [
  [
    'lb create --vip-subnet-id vip --vip-sg-id g --flavor gold --name n',
    [
      'GET subnets?name=vip',
      'GET security-groups?name=g',
      'GET lbaas/flavors?name=gold',
      `POST lbaas/loadbalancers {"loadbalancer":{"vip_subnet_id":"${ID}","vip_sg_ids":["${ID}"],"flavor_id":"${ID}","name":"n"}}`,
    ],
  ],
  [
    'lb create --vip-network-id net --additional-vip subnet-id=s,ip-address=10.0.0.9',
    [
      'GET networks?name=net',
      'GET subnets?name=s',
      `POST lbaas/loadbalancers {"loadbalancer":{"vip_network_id":"${ID}","additional_vips":[{"subnet_id":"${ID}","ip_address":"10.0.0.9"}]}}`,
    ],
  ],
  [
    'lb list --enable --tags a,b --project p --flavor gold',
    [
      'GET lbaas/flavors?name=gold',
      `GET lbaas/loadbalancers?admin_state_up=true&tags=a&tags=b&project_id=p&flavor_id=${ID}`,
    ],
  ],
  [
    'lb failover web --wait',
    [
      'GET lbaas/loadbalancers?name=web',
      `PUT lbaas/loadbalancers/${ID}/failover`,
      `GET lbaas/loadbalancers/${ID}`,
    ],
  ],
  [
    'lb delete web --cascade',
    ['GET lbaas/loadbalancers?name=web', `DELETE lbaas/loadbalancers/${ID}?cascade=true`],
  ],
  [`lb delete ${ID}`, [`GET lbaas/loadbalancers?id=${ID}`, `DELETE lbaas/loadbalancers/${ID}`]],
  [
    'l7policy create front --action redirect_to_pool --redirect-pool back --position 2 --wait',
    [
      'GET lbaas/listeners?name=front',
      'GET lbaas/pools?name=back',
      `POST lbaas/l7policies {"l7policy":{"action":"REDIRECT_TO_POOL","redirect_pool_id":"${ID}","position":2,"listener_id":"${ID}"}}`,
      `GET lbaas/loadbalancers/${ID}`,
      `GET lbaas/l7policies/${ID}`,
    ],
  ],
  [
    'l7policy set p --redirect-url http://a.example --disable',
    [
      'GET lbaas/l7policies?name=p',
      `PUT lbaas/l7policies/${ID} {"l7policy":{"redirect_url":"http://a.example","admin_state_up":false}}`,
    ],
  ],
  [
    'l7policy unset p --redirect-http-code',
    [
      'GET lbaas/l7policies?name=p',
      `PUT lbaas/l7policies/${ID} {"l7policy":{"redirect_http_code":null}}`,
    ],
  ],
  [
    'l7policy list --listener f',
    ['GET lbaas/listeners?name=f', `GET lbaas/l7policies?listener_id=${ID}`],
  ],
  [`l7policy show ${ID}`, [`GET lbaas/l7policies/${ID}`]],
  ['l7policy delete p', ['GET lbaas/l7policies?name=p', `DELETE lbaas/l7policies/${ID}`]],
  [
    'l7rule create p --type header --compare-type equal_to --key k --value v --invert',
    [
      'GET lbaas/l7policies?name=p',
      `POST lbaas/l7policies/${ID}/rules {"rule":{"type":"HEADER","compare_type":"EQUAL_TO","key":"k","value":"v","invert":true}}`,
    ],
  ],
  [
    `l7rule set p ${ID} --value w --wait`,
    [
      'GET lbaas/l7policies?name=p',
      `GET lbaas/l7policies/${ID}/rules?id=${ID}`,
      `PUT lbaas/l7policies/${ID}/rules/${ID} {"rule":{"value":"w"}}`,
      `GET lbaas/l7policies/${ID}/rules/${ID}`,
    ],
  ],
  [
    `l7rule unset p ${ID} --key --invert`,
    [
      'GET lbaas/l7policies?name=p',
      `GET lbaas/l7policies/${ID}/rules?id=${ID}`,
      `PUT lbaas/l7policies/${ID}/rules/${ID} {"rule":{"key":null,"invert":null}}`,
    ],
  ],
  ['l7rule list p', ['GET lbaas/l7policies?name=p', `GET lbaas/l7policies/${ID}/rules`]],
  [`l7rule show ${ID} ${ID}`, [`GET lbaas/l7policies/${ID}/rules/${ID}`]],
  [
    `l7rule delete ${ID} ${ID}`,
    [
      `GET lbaas/l7policies?id=${ID}`,
      `GET lbaas/l7policies/${ID}/rules?id=${ID}`,
      `DELETE lbaas/l7policies/${ID}/rules/${ID}`,
    ],
  ],
  [
    'flavor create --name gold --flavorprofile fp --disable',
    [
      'GET lbaas/flavorprofiles?name=fp',
      `POST lbaas/flavors {"flavor":{"name":"gold","flavor_profile_id":"${ID}","enabled":false}}`,
    ],
  ],
  ['flavor list --enable', ['GET lbaas/flavors?enabled=true']],
  [
    'flavor set gold --enable',
    ['GET lbaas/flavors?name=gold', `PUT lbaas/flavors/${ID} {"flavor":{"enabled":true}}`],
  ],
  [
    'flavor unset gold --description',
    ['GET lbaas/flavors?name=gold', `PUT lbaas/flavors/${ID} {"flavor":{"description":null}}`],
  ],
  ['flavor show gold', ['GET lbaas/flavors?name=gold', `GET lbaas/flavors/${ID}`]],
  ['flavor delete gold', ['GET lbaas/flavors?name=gold', `DELETE lbaas/flavors/${ID}`]],
  [
    'flavorprofile create --name fp --provider amphora --flavor-data {}',
    [
      'POST lbaas/flavorprofiles {"flavorprofile":{"name":"fp","provider_name":"amphora","flavor_data":"{}"}}',
    ],
  ],
  [
    'flavorprofile set fp --provider other',
    [
      'GET lbaas/flavorprofiles?name=fp',
      `PUT lbaas/flavorprofiles/${ID} {"flavorprofile":{"provider_name":"other"}}`,
    ],
  ],
  ['flavorprofile list --provider p', ['GET lbaas/flavorprofiles?provider_name=p']],
  ['flavorprofile show fp', ['GET lbaas/flavorprofiles?name=fp', `GET lbaas/flavorprofiles/${ID}`]],
  [
    'flavorprofile delete fp',
    ['GET lbaas/flavorprofiles?name=fp', `DELETE lbaas/flavorprofiles/${ID}`],
  ],
  [
    'availabilityzone create --name az --availabilityzoneprofile ap',
    [
      'GET lbaas/availabilityzoneprofiles?name=ap',
      `POST lbaas/availabilityzones {"availability_zone":{"name":"az","availability_zone_profile_id":"${ID}"}}`,
    ],
  ],
  [
    'availabilityzone set az --description d',
    [
      'GET lbaas/availabilityzones?name=az',
      'PUT lbaas/availabilityzones/thing {"availability_zone":{"description":"d"}}',
    ],
  ],
  [
    'availabilityzone unset az --description',
    [
      'GET lbaas/availabilityzones?name=az',
      'PUT lbaas/availabilityzones/thing {"availability_zone":{"description":null}}',
    ],
  ],
  ['availabilityzone list', ['GET lbaas/availabilityzones']],
  [
    'availabilityzone show az',
    ['GET lbaas/availabilityzones?name=az', 'GET lbaas/availabilityzones/thing'],
  ],
  [
    'availabilityzone delete az',
    ['GET lbaas/availabilityzones?name=az', 'DELETE lbaas/availabilityzones/thing'],
  ],
  [
    'availabilityzoneprofile create --name ap --provider amphora --availability-zone-data {}',
    [
      'POST lbaas/availabilityzoneprofiles {"availability_zone_profile":{"name":"ap","provider_name":"amphora","availability_zone_data":"{}"}}',
    ],
  ],
  [
    'availabilityzoneprofile set ap --name b',
    [
      'GET lbaas/availabilityzoneprofiles?name=ap',
      `PUT lbaas/availabilityzoneprofiles/${ID} {"availability_zone_profile":{"name":"b"}}`,
    ],
  ],
  ['availabilityzoneprofile list --name x', ['GET lbaas/availabilityzoneprofiles?name=x']],
  [
    'availabilityzoneprofile show ap',
    ['GET lbaas/availabilityzoneprofiles?name=ap', `GET lbaas/availabilityzoneprofiles/${ID}`],
  ],
  [
    'availabilityzoneprofile delete ap',
    ['GET lbaas/availabilityzoneprofiles?name=ap', `DELETE lbaas/availabilityzoneprofiles/${ID}`],
  ],
  ['quota list', ['GET lbaas/quotas']],
  ['quota show p', ['GET lbaas/quotas/p']],
  ['quota set p --loadbalancer 5', ['PUT lbaas/quotas/p {"quota":{"load_balancer":5}}']],
  ['quota unset p --pool', ['PUT lbaas/quotas/p {"quota":{"pool":null}}']],
  ['quota reset p', ['DELETE lbaas/quotas/p']],
  ['quota defaults show', ['GET lbaas/quotas/defaults']],
  [
    'provider capability list amphora --flavor',
    ['GET lbaas/providers/amphora/flavor_capabilities'],
  ],
  [
    'provider capability list amphora',
    [
      'GET lbaas/providers/amphora/flavor_capabilities',
      'GET lbaas/providers/amphora/availability_zone_capabilities',
    ],
  ],
  [
    'amphora list --role master --loadbalancer web',
    ['GET lbaas/loadbalancers?name=web', `GET octavia/amphorae?role=MASTER&loadbalancer_id=${ID}`],
  ],
  [`amphora configure ${ID}`, [`GET octavia/amphorae/${ID}`, `PUT octavia/amphorae/${ID}/config`]],
  [`amphora failover ${ID}`, [`GET octavia/amphorae/${ID}`, `PUT octavia/amphorae/${ID}/failover`]],
  [`amphora delete ${ID}`, [`DELETE octavia/amphorae/${ID}`]],
  [`amphora show ${ID}`, [`GET octavia/amphorae/${ID}`]],
]

test.each(CASES)('%s', async (line, requests) => {
  const recorder = createRecorder({
    'GET lbaas/quotas/defaults': { quota: {} },
    'GET lbaas/quotas': { quotas: [] },
  })
  await run(line, recorder)
  // Lookups of one command may go in parallel; what they are for comes after them.
  const reads = recorder.requests.filter((request) => request.startsWith('GET'))
  expect(recorder.requests.at(-1)).toBe(requests.at(-1))
  expect([...recorder.requests].sort()).toEqual([...requests].sort())
  expect(reads.length).toBe(requests.filter((request) => request.startsWith('GET')).length)
})

test('statistics of an amphora are summed, of one listener if asked', async () => {
  const stats = (listener_id: string, bytes_in: number) => ({ listener_id, bytes_in })
  const recorder = createRecorder({
    [`GET octavia/amphorae/${ID}/stats`]: { amphora_stats: [stats(ID, 1), stats('other', 2)] },
  })
  const all = await run(`amphora stats show ${ID} -f value -c bytes_in`, recorder)
  expect(all.out).toBe('3\n')
  const one = await run(`amphora stats show ${ID} --listener front -f value -c bytes_in`, recorder)
  expect(one.out).toBe('1\n')
})

test('capabilities say what they are for', async () => {
  const each = { name: 'loadbalancer_topology', description: 'd' }
  const recorder = createRecorder({
    'GET lbaas/providers/amphora/flavor_capabilities': { flavor_capabilities: [each] },
    'GET lbaas/providers/amphora/availability_zone_capabilities': {
      availability_zone_capabilities: [{ name: 'compute_zone', description: 'z' }],
    },
  })
  const { out } = await run('provider capability list amphora -f value', recorder)
  expect(out).toBe('flavor loadbalancer_topology d\navailability_zone compute_zone z\n')
})

test('what no longer answers a delete is gone; ERROR and silence are not', async () => {
  const recorder = createRecorder()
  const gone: Fetch = async (url, init) =>
    init.method === 'GET' && url.endsWith(ID)
      ? new Response('{"faultstring":"gone"}', { status: 404 })
      : await recorder.fetch(url, init)
  await run('lb delete web --wait', { ...recorder, fetch: gone })
  await expect(run('lb delete web --wait', recorder)).rejects.toThrow(
    'was not deleted, it is ACTIVE',
  )
  const failing = createRecorder({
    [`GET lbaas/loadbalancers/${ID}`]: { loadbalancer: { provisioning_status: 'ERROR' } },
  })
  await expect(run('lb delete web --wait', failing)).rejects.toThrow('it is ERROR')
  await expect(run('lb set web --name x --wait', failing)).rejects.toThrow('but ERROR')
})
