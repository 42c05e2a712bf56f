import { expect, test } from 'vitest'
import type { InstanceProfile } from '../../../src/driver/compute.ts'
import {
  consoleEnd,
  NO_PROFILE,
  type ServerOptions,
  serverBody,
  serverNameOf,
  toInstance,
} from '../../../src/driver/openstack/server.ts'

const OPTIONS: ServerOptions = {
  amp_flavor_id: 'small',
  amp_ssh_key_name: '',
  amp_timezone: 'UTC',
  amp_boot_network_list: ['mgmt', 'more'],
  amp_secgroup_list: [],
  availability_zone: null,
  random_amphora_name_length: 0,
  more_files: {},
  deployment: '0123456789abcdef',
}
const PARTS = { image_id: 'image', volume_id: null, group_id: null }
// biome-ignore lint/suspicious/noExplicitAny: a body is looked at
type Json = any

function bodyOf(
  options: Partial<ServerOptions>,
  profile: Partial<InstanceProfile> = {},
  parts: Partial<typeof PARTS | { volume_id: string; group_id: string }> = {},
): Json {
  const request = {
    amphora_id: 'a1',
    load_balancer_id: 'l1',
    name: 'amphora-a1',
    files: { '/etc/octavia/certs/server.pem': 'ö SECRET' },
    profile: { ...NO_PROFILE, ...profile },
  }
  return serverBody({ ...OPTIONS, ...options }, request, { ...PARTS, ...parts })
}

test('a server as it is asked for by default', () => {
  const { server, ...more } = bodyOf({})
  expect(more).toEqual({})
  expect(server).toMatchObject({
    name: 'amphora-a1',
    flavorRef: 'small',
    imageRef: 'image',
    networks: [{ uuid: 'mgmt' }, { uuid: 'more' }],
    config_drive: true,
    personality: [
      {
        path: '/etc/octavia/certs/server.pem',
        contents: Buffer.from('ö SECRET').toString('base64'),
      },
    ],
    metadata: {
      octavia_amphora_id: 'a1',
      octavia_load_balancer_id: 'l1',
      octavia_management_network_id: 'mgmt',
      octavia_image_id: 'image',
    },
  })
  for (const absent of [
    'key_name',
    'availability_zone',
    'security_groups',
    'block_device_mapping_v2',
  ])
    expect(server).not.toHaveProperty(absent)
})

test('what flavor and zone say comes before what is configured', () => {
  const { server } = bodyOf(
    { availability_zone: 'az1' },
    { compute_flavor: 'big', compute_zone: 'az2', management_network: 'other' },
  )
  expect(server).toMatchObject({
    flavorRef: 'big',
    availability_zone: 'az2',
    networks: [{ uuid: 'other' }],
  })
})

test('key pair, groups, server group and volume', () => {
  const body = bodyOf(
    { amp_ssh_key_name: 'key', amp_secgroup_list: ['sg'], availability_zone: 'az1' },
    {},
    { volume_id: 'vol', group_id: 'group' },
  )
  expect(body['os:scheduler_hints']).toEqual({ group: 'group' })
  expect(body.server).toMatchObject({
    key_name: 'key',
    security_groups: [{ name: 'sg' }],
    availability_zone: 'az1',
    imageRef: '',
    block_device_mapping_v2: [
      { uuid: 'vol', source_type: 'volume', boot_index: 0, delete_on_termination: true },
    ],
  })
})

test('user data sets the time zone, and no text can add to it', () => {
  const text = (timezone: string): string =>
    Buffer.from(bodyOf({ amp_timezone: timezone }).server.user_data, 'base64').toString()
  expect(text('Europe/Berlin')).toMatch(/^#cloud-config\ntimezone: "Europe\/Berlin"\n/)
  expect(text('UTC"\nruncmd: [reboot]').split('\n')).toHaveLength(text('UTC').split('\n').length)
})

test('a random name follows from the id, in the length that is wanted', () => {
  expect(serverNameOf('a1', 0)).toBe('amphora-a1')
  const name = serverNameOf('a1', 12)
  expect(name).toMatch(/^a[A-Z0-9]{11}$/)
  expect(serverNameOf('a1', 12)).toBe(name)
  expect(serverNameOf('a2', 12)).not.toBe(name)
  expect(serverNameOf('a1', 63)).toMatch(/^a[A-Z0-9]{62}$/)
})

const INTERFACES = [
  { net_id: 'more', fixed_ips: [{ ip_address: '10.0.0.9' }] },
  { net_id: 'mgmt', fixed_ips: [{ ip_address: '172.16.0.9' }, { ip_address: 'fd00::9' }] },
]

test('the management address is that of the network it was booted on', () => {
  const server = { id: 's', status: 'ACTIVE', metadata: { octavia_management_network_id: 'mgmt' } }
  expect(toInstance(server, INTERFACES, ['x']).lb_network_ip).toBe('172.16.0.9')
  const old = { id: 's', status: 'ACTIVE' }
  expect(toInstance(old, INTERFACES, ['mgmt']).lb_network_ip).toBe('172.16.0.9')
  expect(toInstance(old, INTERFACES, []).lb_network_ip).toBe('10.0.0.9')
  expect(toInstance(old, [], ['mgmt']).lb_network_ip).toBeNull()
})

test.each([
  ['ACTIVE', 'ACTIVE'],
  ['ERROR', 'ERROR'],
  ['BUILD', 'BUILD'],
  ['REBOOT', 'BUILD'],
  ['SHUTOFF', 'BUILD'],
])('a server that is %s is %s', (status, expected) => {
  expect(toInstance({ id: 's', status }, [], []).status).toBe(expected)
})

test('the end of a console: short, without what controls terminals, without secrets', () => {
  const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`)
  expect(consoleEnd(lines.join('\r\n'))).toMatch(/^line 42 \| .* \| line 49$/)
  expect(consoleEnd('\u001b[31mred\u001b[0m\u0007\n\n')).toBe('red')
  expect(consoleEnd('root password: hunter2\nssh-rsa AAAA\nready')).toBe('ready')
  expect(consoleEnd('x'.repeat(5_000))?.length).toBe(600)
  expect(consoleEnd('')).toBeUndefined()
})
