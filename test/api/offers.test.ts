/**
 * Flavors, availability zones, their profiles, and what providers support: requests as rows, and
 * what a load balancer takes from its choice.
 */
import { describe, expect, test } from 'vitest'
import type { Lack } from '../../src/model/capability.ts'
import {
  createHarness,
  type Harness,
  NETWORK,
  OTHER_NETWORK,
  OTHER_SUBNET,
  SUBNET,
  settle,
} from './harness.ts'

const LBAAS = '/v2.0/lbaas'
const NIL = '00000000-0000-0000-0000-000000000000'
const NOBODY = '00000000-0000-4000-8000-000000000000'
const PROVIDERS = { amphora: 'A.', octavia: 'O.', noop_driver: 'N.', other: 'X.' }

/** The two kinds, with all that differs between them. */
const KINDS = [
  {
    kind: 'flavor',
    offers: `${LBAAS}/flavors`,
    wrapper: 'flavor',
    many: 'flavors',
    links: 'flavors_links',
    what: 'flavor',
    title: 'Flavor',
    parent: 'flavor_profile_id',
    profiles: `${LBAAS}/flavorprofiles`,
    profile: 'flavorprofile',
    profilesMany: 'flavorprofiles',
    profileLinks: 'flavorprofile_links',
    profileTitle: 'Flavor Profile',
    deletedTitle: 'Flavor profile',
    profileNil: 'Flavor profile',
    data: 'flavor_data',
    good: '{"compute_flavor": "m1.small"}',
    chosen: 'flavor_id',
  },
  {
    kind: 'availability zone',
    offers: `${LBAAS}/availabilityzones`,
    wrapper: 'availability_zone',
    many: 'availability_zones',
    links: 'availability_zones_links',
    what: 'availability zone',
    title: 'Availability Zone',
    parent: 'availability_zone_profile_id',
    profiles: `${LBAAS}/availabilityzoneprofiles`,
    profile: 'availability_zone_profile',
    profilesMany: 'availability_zone_profiles',
    profileLinks: 'availability_zone_profile_links',
    profileTitle: 'Availability Zone Profile',
    deletedTitle: 'Availability Zone Profile',
    profileNil: 'Availability Zone Profile',
    data: 'availability_zone_data',
    good: '{"compute_zone": "nova"}',
    chosen: 'availability_zone',
  },
] as const
type Kind = (typeof KINDS)[number]

const setUp = (lacking: readonly Lack[] = []) =>
  createHarness({ settings: { enabled_provider_drivers: PROVIDERS, lacking } })

async function makeProfile(harness: Harness, kind: Kind, over: object = {}): Promise<string> {
  const body = { name: 'p', provider_name: 'amphora', [kind.data]: kind.good, ...over }
  const answer = await harness.send('POST', kind.profiles, { [kind.profile]: body })
  expect(answer).toMatchObject({ status: 201, body: { [kind.profile]: body } })
  return answer.body[kind.profile].id
}

/** The key of a new flavor or zone: its id or its name. */
async function makeOffer(harness: Harness, kind: Kind, over: object = {}): Promise<string> {
  const profile_id = await makeProfile(harness, kind, over)
  const body = { name: 'gold', [kind.parent]: profile_id }
  const answer = await harness.send('POST', kind.offers, { [kind.wrapper]: body })
  expect(answer).toMatchObject({ status: 201 })
  return answer.body[kind.wrapper].id ?? answer.body[kind.wrapper].name
}

const outcome = ({
  status,
  body,
}: {
  status: number
  body: { faultstring?: string } | undefined
}) => [status, body?.faultstring].filter((part) => part !== undefined)

const createLb = (harness: Harness, over: object) =>
  harness.send('POST', `${LBAAS}/loadbalancers`, {
    loadbalancer: { vip_subnet_id: SUBNET, ...over },
  })

describe.each(KINDS.map((kind) => [kind.kind, kind] as const))('%s', (_name, kind) => {
  test('is made, listed, shown, changed and deleted', async () => {
    const harness = setUp()
    expect((await harness.send('GET', kind.offers)).body).toEqual({
      [kind.many]: [],
      [kind.links]: [],
    })
    const key = await makeOffer(harness, kind)
    const shown = (await harness.send('GET', `${kind.offers}/${key}`)).body[kind.wrapper]
    expect(shown).toMatchObject({ name: 'gold', description: '', enabled: true })
    expect(Object.keys(shown)).not.toContain('tenant_id')
    expect((await harness.send('GET', `${kind.offers}?enabled=true&name=gold`)).body).toEqual({
      [kind.many]: [shown],
      [kind.links]: [],
    })
    expect((await harness.send('GET', `${kind.offers}?enabled=false`)).body[kind.many]).toEqual([])
    expect((await harness.send('GET', `${kind.offers}/${key}?fields=name`)).body).toEqual({
      [kind.wrapper]: { name: 'gold' },
    })
    const change = { [kind.wrapper]: { description: 'new', enabled: false } }
    const changed = await harness.send('PUT', `${kind.offers}/${key}`, change)
    expect(changed).toMatchObject({
      status: 200,
      body: { [kind.wrapper]: { ...shown, description: 'new', enabled: false } },
    })
    expect(await harness.send('DELETE', `${kind.offers}/${key}`)).toMatchObject({
      status: 204,
      body: undefined,
    })
    expect(outcome(await harness.send('GET', `${kind.offers}/${key}`))).toEqual([
      404,
      `${kind.title} ${key} not found.`,
    ])
  })

  test('pages follow one another by its key', async () => {
    const harness = setUp()
    const profile_id = await makeProfile(harness, kind)
    for (const name of ['c', 'a', 'b'])
      await harness.send('POST', kind.offers, {
        [kind.wrapper]: { name, [kind.parent]: profile_id },
      })
    const names: string[] = []
    let next: string | undefined = `${kind.offers}?limit=1&sort=name`
    for (let page = 0; next !== undefined && page < 5; page++) {
      const { body } = await harness.send('GET', next)
      for (const row of body[kind.many]) names.push(row.name)
      const link = body[kind.links].find(({ rel }: { rel: string }) => rel === 'next')
      next = link?.href.replace('http://lb.example', '')
    }
    expect(names).toEqual(['a', 'b', 'c'])
  })

  test('its profile is made, listed, shown, changed and deleted', async () => {
    const harness = setUp()
    const id = await makeProfile(harness, kind)
    const shown = (await harness.send('GET', `${kind.profiles}/${id}`)).body[kind.profile]
    expect(shown).toEqual({ id, name: 'p', provider_name: 'amphora', [kind.data]: kind.good })
    expect((await harness.send('GET', kind.profiles)).body).toEqual({
      [kind.profilesMany]: [shown],
      [kind.profileLinks]: [],
    })
    const change = { name: 'q', provider_name: 'noop_driver', [kind.data]: '{"any": 1}' }
    const put = (values: object) =>
      harness.send('PUT', `${kind.profiles}/${id}`, { [kind.profile]: values })
    expect(await put(change)).toMatchObject({ status: 200, body: { [kind.profile]: change } })
    for (const field of ['name', 'provider_name', kind.data])
      expect(outcome(await put({ [field]: null }))).toEqual([
        400,
        `None is not a valid option for ${field}`,
      ])
    expect((await harness.send('DELETE', `${kind.profiles}/${id}`)).status).toBe(204)
    expect(outcome(await harness.send('DELETE', `${kind.profiles}/${id}`))).toEqual([
      404,
      `${kind.deletedTitle} ${id} not found.`,
    ])
  })

  test('a profile that is offered keeps provider and data', async () => {
    const harness = setUp()
    const key = await makeOffer(harness, kind)
    const shown = (await harness.send('GET', `${kind.offers}/${key}`)).body[kind.wrapper]
    const id = shown[kind.parent]
    const path = `${kind.profiles}/${id}`
    const before = await harness.dump()
    const busy = [409, `${kind.profileNil} ${id} is in use and cannot be modified.`]
    for (const values of [{ provider_name: 'octavia' }, { [kind.data]: '{}' }])
      expect(outcome(await harness.send('PUT', path, { [kind.profile]: values }))).toEqual(busy)
    expect(outcome(await harness.send('DELETE', path))).toEqual(busy)
    expect(await harness.dump()).toEqual(before)
    const renamed = await harness.send('PUT', path, { [kind.profile]: { name: 'other' } })
    expect(renamed.status).toBe(200)
  })

  test('one that a load balancer uses is not deleted, until that is gone', async () => {
    const harness = setUp()
    const key = await makeOffer(harness, kind)
    const made = await createLb(harness, { [kind.chosen]: key })
    expect(made).toMatchObject({ status: 201, body: { loadbalancer: { [kind.chosen]: key } } })
    expect(outcome(await harness.send('DELETE', `${kind.offers}/${key}`))).toEqual([
      409,
      `${kind.title} ${key} is in use and cannot be modified.`,
    ])
    await harness.store.transaction((tx) =>
      tx.updateTable('load_balancer').set({ provisioning_status: 'DELETED' }).execute(),
    )
    expect((await harness.send('DELETE', `${kind.offers}/${key}`)).status).toBe(204)
  })

  test('one that is unknown or disabled is not chosen, and nothing is left of the request', async () => {
    const harness = setUp()
    const key = await makeOffer(harness, kind)
    await harness.send('PUT', `${kind.offers}/${key}`, { [kind.wrapper]: { enabled: false } })
    const before = await harness.dump()
    expect(outcome(await createLb(harness, { [kind.chosen]: key }))).toEqual([
      400,
      `The selected ${kind.chosen.replace('_id', '')} is not allowed in this deployment: ${key}`,
    ])
    expect((await createLb(harness, { [kind.chosen]: NOBODY })).status).toBe(400)
    expect(await harness.dump()).toEqual(before)
    expect(harness.network.ports.size).toBe(0)
  })

  test.each<
    [string, (h: Harness, key: string) => Promise<Parameters<typeof outcome>[0]>, ...unknown[]]
  >([
    [
      'a name that is taken',
      async (h, key) => {
        const { body } = await h.send('GET', `${kind.offers}/${key}`)
        const values = { name: 'gold', [kind.parent]: body[kind.wrapper][kind.parent] }
        return h.send('POST', kind.offers, { [kind.wrapper]: values })
      },
      409,
      `A ${kind.what} of gold already exists.`,
    ],
    [
      'no name',
      (h) => h.send('POST', kind.offers, { [kind.wrapper]: { [kind.parent]: NOBODY } }),
      400,
      "Invalid input for field/attribute name. Value: 'None'. Mandatory field missing.",
    ],
    [
      'no profile',
      (h) => h.send('POST', kind.offers, { [kind.wrapper]: { name: 'x' } }),
      400,
      `Invalid input for field/attribute ${kind.parent}. Value: 'None'. Mandatory field missing.`,
    ],
    [
      'a profile that is no UUID',
      (h) => h.send('POST', kind.offers, { [kind.wrapper]: { name: 'x', [kind.parent]: 'bogus' } }),
      400,
      `Invalid input for field/attribute ${kind.parent}. Value: 'bogus'. Value should be UUID format`,
    ],
    [
      'a profile that is not there',
      (h) => h.send('POST', kind.offers, { [kind.wrapper]: { name: 'x', [kind.parent]: NOBODY } }),
      400,
      `${kind.profileTitle} ${NOBODY} not found.`,
    ],
    [
      'a name too long',
      (h) =>
        h.send('POST', kind.offers, {
          [kind.wrapper]: { name: 'x'.repeat(256), [kind.parent]: NOBODY },
        }),
      400,
      expect.stringContaining('maximum character requirement of 255'),
    ],
    [
      'another profile on an update',
      (h, key) =>
        h.send('PUT', `${kind.offers}/${key}`, { [kind.wrapper]: { [kind.parent]: NOBODY } }),
      400,
      `Unknown attribute for argument ${kind.wrapper}_.${kind.wrapper}: ${kind.parent}`,
    ],
    [
      'the nil UUID shown',
      (h) => h.send('GET', `${kind.offers}/${NIL}`),
      404,
      `${kind.title} ${NIL} not found.`,
    ],
    [
      'the nil UUID changed',
      (h) => h.send('PUT', `${kind.offers}/${NIL}`, { [kind.wrapper]: { description: '' } }),
      404,
      `${kind.title} ${NIL} not found.`,
    ],
    [
      'the nil UUID deleted',
      (h) => h.send('DELETE', `${kind.offers}/${NIL}`),
      404,
      `${kind.title} ${NIL} not found.`,
    ],
    [
      'a nil profile',
      (h) => h.send('DELETE', `${kind.profiles}/${NIL}`),
      404,
      `${kind.profileNil} ${NIL} not found.`,
    ],
    [
      'one that is not there deleted',
      (h) => h.send('DELETE', `${kind.offers}/bogus`),
      404,
      `${kind.title} bogus not found.`,
    ],
    [
      'a filter that is no field',
      (h) => h.send('GET', `${kind.offers}?admin_state_up=true`),
      400,
      'One or more arguments are either duplicate or invalid',
    ],
  ])('%s', async (_what, ask, ...expected) => {
    const harness = setUp()
    const key = await makeOffer(harness, kind)
    const before = await harness.dump()
    expect(outcome(await ask(harness, key))).toEqual(expected)
    expect(await harness.dump()).toEqual(before)
  })
})

const [FLAVOR, ZONE] = KINDS
const unsupported = (what: string, provider = 'amphora') =>
  `Provider '${provider}' does not support a requested option: ${what}`

test.each<[Kind, string, string, number, string]>([
  [FLAVOR, 'amphora', '{', 400, '{ is not a valid option for flavor_data'],
  [FLAVOR, 'amphora', '', 400, ' is not a valid option for flavor_data'],
  [FLAVOR, 'amphora', '[]', 501, unsupported("[] is not of type 'object'")],
  [
    FLAVOR,
    'amphora',
    '{"bogus": 1, "sriov_vip": "yes"}',
    501,
    unsupported("Additional properties are not allowed ('bogus' was unexpected)"),
  ],
  [
    FLAVOR,
    'octavia',
    '{"a": 1, "b": 2}',
    501,
    unsupported("Additional properties are not allowed ('a', 'b' were unexpected)", 'octavia'),
  ],
  [
    FLAVOR,
    'amphora',
    '{"loadbalancer_topology": "TRIPLE"}',
    501,
    unsupported("loadbalancer_topology 'TRIPLE' is not one of ['ACTIVE_STANDBY', 'SINGLE']"),
  ],
  [
    FLAVOR,
    'amphora',
    '{"compute_flavor": 5}',
    501,
    unsupported("compute_flavor 5 is not of type 'string'"),
  ],
  [
    FLAVOR,
    'amphora',
    '{"sriov_vip": "true"}',
    501,
    unsupported("sriov_vip 'true' is not of type 'boolean'"),
  ],
  [
    FLAVOR,
    'amphora',
    '{"__proto__": 1}',
    501,
    unsupported("Additional properties are not allowed ('__proto__' was unexpected)"),
  ],
  [
    FLAVOR,
    'noop_driver',
    '{"any": 1, "loadbalancer_topology": "TRIPLE"}',
    501,
    unsupported(
      "loadbalancer_topology 'TRIPLE' is not one of ['ACTIVE_STANDBY', 'SINGLE']",
      'noop_driver',
    ),
  ],
  [FLAVOR, 'noop_driver', 'null', 501, unsupported("None is not of type 'object'", 'noop_driver')],
  [FLAVOR, 'absent', '{}', 400, "Provider 'absent' is not enabled."],
  [FLAVOR, 'other', '{}', 501, "Provider 'other' was not found."],
  [
    ZONE,
    'amphora',
    '{"valid_vip_networks": "all"}',
    501,
    unsupported("valid_vip_networks 'all' is not of type 'array'"),
  ],
  [
    ZONE,
    'amphora',
    '{"valid_vip_networks": [5]}',
    501,
    unsupported("valid_vip_networks 5 is not of type 'string'"),
  ],
  [ZONE, 'amphora', `{"management_network": "${NOBODY}"}`, 400, `Network ${NOBODY} not found.`],
  [ZONE, 'amphora', 'zone', 400, 'zone is not a valid option for availability_zone_data'],
])('a profile of a %s for %s saying %s', async (kind, provider_name, data, ...expected) => {
  const harness = setUp()
  const id = await makeProfile(harness, kind)
  const before = await harness.dump()
  const profile = { name: 'x', provider_name, [kind.data]: data }
  const made = await harness.send('POST', kind.profiles, { [kind.profile]: profile })
  expect(outcome(made)).toEqual(expected)
  const changed = await harness.send('PUT', `${kind.profiles}/${id}`, { [kind.profile]: profile })
  expect(outcome(changed)).toEqual(expected)
  expect(await harness.dump()).toEqual(before)
})

test('what the drivers in use cannot do is refused with the reason', async () => {
  const name = 'loadbalancer_topology'
  const harness = setUp([{ name, value: 'ACTIVE_STANDBY', reason: 'no pairs' }])
  const make = (topology: string) =>
    harness.send('POST', FLAVOR.profiles, {
      flavorprofile: {
        name: 'p',
        provider_name: 'amphora',
        flavor_data: JSON.stringify({ [name]: topology }),
      },
    })
  expect(outcome(await make('ACTIVE_STANDBY'))).toEqual([501, unsupported(`${name}: no pairs`)])
  expect((await make('SINGLE')).status).toBe(201)
})

describe('a load balancer', () => {
  test('takes provider and topology of its flavor', async () => {
    const harness = setUp()
    const flavor_data = '{"loadbalancer_topology": "ACTIVE_STANDBY", "sriov_vip": true}'
    const flavor_id = await makeOffer(harness, FLAVOR, { flavor_data, provider_name: 'octavia' })
    const { body } = await createLb(harness, { flavor_id })
    expect(body.loadbalancer).toMatchObject({
      flavor_id,
      provider: 'octavia',
      vip_vnic_type: 'direct',
    })
    const { job, load_balancer } = await harness.dump()
    expect(load_balancer).toMatchObject([{ topology: 'ACTIVE_STANDBY' }])
    const [{ input }] = job as [{ input: string }]
    expect(JSON.parse(input).amphorae).toMatchObject([{ role: 'MASTER' }, { role: 'BACKUP' }])
  })

  test('lets members have SR-IOV ports by its flavor, in every way of making them', async () => {
    const harness = setUp()
    const flavor_data = '{"allow_member_sriov": true}'
    const flavor_id = await makeOffer(harness, FLAVOR, { flavor_data })
    const member = (n: number) => ({
      address: `10.0.0.${n}`,
      protocol_port: 80,
      request_sriov: true,
    })
    const pool = { name: 'p', protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' }
    const pools = [{ ...pool, members: [member(30)] }]
    const before = await harness.dump()
    const refused = [400, 'The load balancer flavor does not allow SR-IOV member ports.']
    expect(outcome(await createLb(harness, { pools }))).toEqual(refused)
    expect(await harness.dump()).toMatchObject({ ...before, job: expect.anything() })
    const { body } = await createLb(harness, { flavor_id, pools })
    const [made] = body.loadbalancer.pools
    expect(made.members).toMatchObject([{ vnic_type: 'direct' }])
    await settle(harness)
    const path = `${LBAAS}/pools/${made.id}/members`
    const posted = await harness.send('POST', path, { member: member(31) })
    expect(posted.body.member.vnic_type).toBe('direct')
    await settle(harness)
    const more = { ...member(32), request_sriov: false }
    await harness.send('PUT', `${path}?additive_only=true`, { members: [member(33), more] })
    const { body: all } = await harness.send('GET', `${path}?sort=address`)
    expect(all.members.map((row: { vnic_type: string }) => row.vnic_type)).toEqual([
      ...['direct', 'direct', 'normal', 'direct'],
    ])
  })

  test('does not name another provider than its flavor', async () => {
    const harness = setUp()
    const flavor_id = await makeOffer(harness, FLAVOR)
    expect(outcome(await createLb(harness, { flavor_id, provider: 'octavia' }))).toEqual([
      400,
      `Flavor '${flavor_id}' is not compatible with provider 'octavia'`,
    ])
  })

  test('of an enabled provider which is not there is refused', async () => {
    expect(outcome(await createLb(setUp(), { provider: 'other' }))).toEqual([
      501,
      "Provider 'other' was not found.",
    ])
  })

  test('is in a network which its zone allows, whatever the deployment does', async () => {
    const harness = createHarness({ settings: { valid_vip_networks: [OTHER_NETWORK] } })
    const data = JSON.stringify({ valid_vip_networks: [NETWORK] })
    const availability_zone = await makeOffer(harness, ZONE, { availability_zone_data: data })
    const refused = [
      400,
      'Validation failure: Supplied VIP network_id is not allowed by the configuration of this deployment.',
    ]
    expect((await createLb(harness, { availability_zone })).status).toBe(201)
    expect(outcome(await createLb(harness, {}))).toEqual(refused)
    const elsewhere = { availability_zone, vip_subnet_id: OTHER_SUBNET }
    expect(outcome(await createLb(harness, elsewhere))).toEqual(refused)
  })
})

describe('capabilities', () => {
  const flavorsOf = (provider: string) => `${LBAAS}/providers/${provider}/flavor_capabilities`
  const zonesOf = (provider: string) =>
    `${LBAAS}/providers/${provider}/availability_zone_capabilities`
  const get = async (path: string) => (await setUp().send('GET', path)).body

  test('are those of the provider', async () => {
    const names = async (path: string) =>
      (Object.values(await get(path))[0] as { name: string }[]).map(({ name }) => name)
    expect(await names(flavorsOf('amphora'))).toEqual([
      'loadbalancer_topology',
      'compute_flavor',
      'amp_image_tag',
      'sriov_vip',
      'allow_member_sriov',
    ])
    expect(await get(flavorsOf('octavia'))).toEqual(await get(flavorsOf('amphora')))
    expect(await names(zonesOf('amphora'))).toEqual([
      'compute_zone',
      'volume_zone',
      'management_network',
      'valid_vip_networks',
    ])
    expect(await get(flavorsOf('noop_driver'))).toEqual({
      flavor_capabilities: [
        {
          name: 'amp_image_tag',
          description: 'The glance image tag to use for this load balancer.',
        },
      ],
    })
    expect(await names(zonesOf('noop_driver'))).toEqual(['compute_zone', 'volume_zone'])
  })

  test('are filtered, and only the fields asked for are shown', async () => {
    expect(await get(`${flavorsOf('amphora')}?name=sriov_vip&fields=name`)).toEqual({
      flavor_capabilities: [{ name: 'sriov_vip' }],
    })
    const description = encodeURIComponent('The amphora image tag.')
    expect(await get(`${flavorsOf('amphora')}?description=${description}&fields=name`)).toEqual({
      flavor_capabilities: [{ name: 'amp_image_tag' }],
    })
    expect(await get(`${zonesOf('amphora')}?name=none`)).toEqual({
      availability_zone_capabilities: [],
    })
  })

  test('of a provider which is not enabled or not there', async () => {
    expect(outcome(await setUp().send('GET', flavorsOf('bogus')))).toEqual([
      400,
      "Provider 'bogus' is not enabled.",
    ])
    expect(outcome(await setUp().send('GET', zonesOf('other')))).toEqual([
      501,
      "Provider 'other' was not found.",
    ])
  })
})
