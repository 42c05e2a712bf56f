import { expect, test } from 'vitest'
import { ConfigDriveError, parseConfigDrive } from '../../../src/agent/guest/config-drive.ts'

const META = { uuid: 'one', hostname: 'amphora-1.novalocal' }

function parse(files: Readonly<Record<string, unknown>>) {
  const texts = Object.entries({ 'meta_data.json': META, ...files }).map(([name, content]) => [
    name,
    typeof content === 'string' ? content : JSON.stringify(content),
  ])
  const drive = Object.fromEntries(texts) as Record<string, string>
  return parseConfigDrive((name) => drive[name])
}

test('the least there is: an instance and its name', () => {
  expect(parse({})).toEqual({
    instance_id: 'one',
    hostname: 'amphora-1',
    ssh_keys: [],
    files: [],
    links: null,
    nameservers: [],
    timezone: null,
  })
})

test('files that came with the server, and its keys', () => {
  const meta = {
    ...META,
    files: [{ path: '/etc/octavia/certs/server.pem', content_path: '/content/0000' }],
    public_keys: { mykey: 'ssh-ed25519 AAAA one\n' },
  }
  const config = parse({ 'meta_data.json': meta, '../content/0000': 'PEM' })
  expect(config.files).toEqual([{ path: '/etc/octavia/certs/server.pem', content: 'PEM' }])
  expect(config.ssh_keys).toEqual(['ssh-ed25519 AAAA one'])
})

test('files and the time zone of user data', () => {
  const user_data = [
    '#cloud-config',
    'timezone: Europe/Berlin',
    'write_files:',
    '- path: /etc/octavia/a',
    '  content: |',
    '    [one]',
    '    x = 1',
    '- path: /etc/octavia/b',
    '  encoding: b64',
    `  content: ${Buffer.from('two').toString('base64')}`,
  ].join('\n')
  const config = parse({ user_data })
  expect(config.timezone).toBe('Europe/Berlin')
  expect(config.files).toEqual([
    { path: '/etc/octavia/a', content: '[one]\nx = 1\n' },
    { path: '/etc/octavia/b', content: 'two' },
  ])
})

test("user data in the form of upstream's controller, with what systemd is told", () => {
  const user_data = `#cloud-config
# vim: syntax=yaml
# {'/a': 'it's a comment'}
write_files:
-   path: /etc/octavia/certs/server.pem
    content: |
        -----BEGIN CERTIFICATE-----
        AAAA

-   path: /etc/octavia/amphora-agent.conf
    content: |
        
        [DEFAULT]
        debug = False

        [amphora_agent]
runcmd:
-   systemctl restart rsyslog
-   service amphora-agent restart

timezone: UTC
`
  const config = parse({ user_data })
  expect(config.timezone).toBe('UTC')
  expect(config.files).toEqual([
    {
      path: '/etc/octavia/certs/server.pem',
      content: '-----BEGIN CERTIFICATE-----\nAAAA\n',
    },
    {
      path: '/etc/octavia/amphora-agent.conf',
      content: '\n[DEFAULT]\ndebug = False\n\n[amphora_agent]\n',
    },
  ])
})

test('user data that is a script is nothing to an amphora', () => {
  expect(parse({ user_data: '#!/bin/sh\nrm -r /' }).files).toEqual([])
})

const LINK = { id: 'tap1', ethernet_mac_address: 'FA:16:3E:00:00:01', mtu: 1450 }

test.each([
  [{ type: 'ipv4_dhcp' }, { kind: 'dhcp4' }],
  [{ type: 'ipv6_slaac' }, { kind: 'ra6' }],
  [{ type: 'ipv6_dhcpv6-stateless' }, { kind: 'ra6' }],
  [
    {
      type: 'ipv4',
      ip_address: '172.16.0.5',
      netmask: '255.240.0.0',
      routes: [{ network: '0.0.0.0', netmask: '0.0.0.0', gateway: '172.16.0.1' }],
    },
    {
      kind: 'static',
      address: '172.16.0.5/12',
      routes: [{ destination: '0.0.0.0/0', gateway: '172.16.0.1' }],
    },
  ],
  [
    {
      type: 'ipv6',
      ip_address: 'fd00::5',
      netmask: 'ffff:ffff:ffff:ffff::',
      routes: [{ network: '::', netmask: '::', gateway: 'fd00::1' }],
    },
    {
      kind: 'static',
      address: 'fd00::5/64',
      routes: [{ destination: '::/0', gateway: 'fd00::1' }],
    },
  ],
])('a network %j', (network, expected) => {
  const network_data = {
    links: [LINK],
    networks: [{ ...network, link: 'tap1' }],
    services: [{ type: 'dns', address: '10.0.0.2' }],
  }
  const config = parse({ 'network_data.json': network_data })
  expect(config.links).toEqual([{ mac: 'fa:16:3e:00:00:01', mtu: 1450, networks: [expected] }])
  expect(config.nameservers).toEqual(['10.0.0.2'])
})

test.each([
  ['no metadata', { 'meta_data.json': '' }, 'meta_data.json is no JSON'],
  ['no instance', { 'meta_data.json': {} }, 'meta_data.json has no uuid'],
  ['broken network', { 'network_data.json': '{' }, 'network_data.json is no JSON'],
  [
    'a missing file',
    { 'meta_data.json': { ...META, files: [{ path: '/a', content_path: '/content/1' }] } },
    'meta_data.json names a file that is not there: /a',
  ],
  [
    'an address that is missing',
    { 'network_data.json': { links: [LINK], networks: [{ type: 'ipv4', link: 'tap1' }] } },
    'network_data.json has a network without address',
  ],
  ['user data that is no YAML', { user_data: '#cloud-config\n a: [' }, 'user_data is no YAML'],
])('%s is refused without quoting it', (_, files, message) => {
  expect(() => parse(files)).toThrow(new ConfigDriveError(message))
})
