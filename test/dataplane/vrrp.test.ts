/**
 * Golden files of VRRP configurations, which keepalived itself accepts, and the configuration of a
 * deployment of upstream's that ours must do the same as. They are rewritten by UPDATE_CASES=1 and
 * read before they are committed.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  renderVrrp,
  type VrrpInstance,
  type VrrpOptions,
} from '../../src/dataplane/keepalived/vrrp.ts'
import { AssertionFailure } from '../../src/system/assert.ts'
import { VRRP_OPTIONS } from '../fake/vrrp.ts'

const FOLDER = join(import.meta.dirname, 'vrrp-cases')
const RECORDED = join(import.meta.dirname, '../recorded/keepalived')

const USUAL: VrrpInstance = {
  load_balancer_id: '5bdd8160-2217-47b1-9a6d-91db5cfa15ea',
  group: { advert_int: 1, auth_pass: 'ec74379' },
  interface: 'eth1',
  router_id: 1,
  priority: 100,
  vrrp_ip: '10.10.10.33',
  peers: ['10.10.10.53'],
  vips: [
    { ip_address: '10.10.10.184', subnet_cidr: '10.10.10.0/24', gateway: null, host_routes: [] },
  ],
  takeover: false,
}

interface Case {
  readonly about: string
  readonly instance?: Partial<VrrpInstance>
  readonly options?: Partial<VrrpOptions>
}

const names = readdirSync(FOLDER).flatMap((n) => (n.endsWith('.json') ? [n.slice(0, -5)] : []))

function render(name: string): string {
  const input = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Case
  return renderVrrp({ ...USUAL, ...input.instance }, { ...VRRP_OPTIONS, ...input.options })
}

test.each(names)('case %s', (name) => {
  const file = join(FOLDER, `${name}.conf`)
  const text = render(name)
  if (process.env.UPDATE_CASES === '1') writeFileSync(file, text)
  expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : 'a conf file of that name')
})

/** keepalived wants the interface to be there, so it is asked where there is one of that name. */
function keepalivedMissing(): string | undefined {
  if (Bun.which('keepalived', { PATH: `${process.env.PATH}:/usr/sbin` }) === null)
    return 'needs keepalived'
  return process.getuid?.() === 0 ? undefined : 'needs root'
}
const missing = keepalivedMissing()

/** A network and a /var/lib of its own: nothing of the host is in the way, or touched. */
const SCRIPT = `set -eu
ip link add eth1 type veth peer name peer1
ip link set eth1 up
mount -t tmpfs tmpfs /var/lib
mkdir -p /var/lib/octavia/vrrp
printf '#!/bin/sh\\n' >/var/lib/octavia/vrrp/check_script.sh
chmod 755 /var/lib/octavia/vrrp/check_script.sh
exec keepalived --config-test --use-file="$1"`

test.skipIf(missing !== undefined).each(names)(
  `keepalived accepts %s${missing === undefined ? '' : `: ${missing}`}`,
  (name) => {
    const argv = ['unshare', '--net', '--mount', '--propagation', 'private', 'sh', '-c', SCRIPT]
    const result = Bun.spawnSync([...argv, 'sh', join(FOLDER, `${name}.conf`)])
    expect(result.exitCode, `${result.stdout}${result.stderr}`).toBe(0)
  },
)

/** Every setting by the blocks that it is in: `vrrp_instance x / priority` to `100`. */
function settingsOf(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  const path: string[] = []
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue
    if (line === '}') path.pop()
    else if (line.endsWith('{')) path.push(line.slice(0, -1).trim())
    else {
      const [name = '', ...values] = line.split(' ')
      // Lists are compared as a whole, line by line.
      const list = /virtual_(ipaddress|routes|rules)|unicast_peer|track_script/.test(
        path.at(-1) ?? '',
      )
      settings.set([...path, list ? line : name].join(' / '), list ? '' : values.join(' '))
    }
  }
  return settings
}

/** What differs from the configuration which upstream's Train made for the same pair, and why. */
const DIFFERENCES = [
  // Without it keepalived looks its host's name up, and waits for name servers.
  'global_defs / router_id: none, here "5bdd8160-2217-47b1-9a6d-91db5cfa15ea"',
  // Whether keepalived 2.x runs a check that is root's without a complaint.
  'global_defs / enable_script_security: none, here ""',
  'global_defs / script_user: none, here "root"',
  // With `state MASTER` keepalived ignores `nopreempt`: the VIPs went back to a MASTER that
  // returned, and broke every connection a second time. Upstream left it out after Train, too.
  'vrrp_instance 5bdd8160221747b19a6d91db5cfa15ea / state: "STATE", here none',
]

describe.each([
  ['master', { vrrp_ip: '10.10.10.33', peers: ['10.10.10.53'], priority: 100 }],
  ['backup', { vrrp_ip: '10.10.10.53', peers: ['10.10.10.33'], priority: 90 }],
] as const)('the %s of a deployment of upstream', (role, instance) => {
  test('is told the same', () => {
    const theirs = settingsOf(
      readFileSync(join(RECORDED, `octavia-keepalived-${role}.conf`), 'utf8'),
    )
    const ours = settingsOf(renderVrrp({ ...USUAL, ...instance }, VRRP_OPTIONS))
    const shown = (value: string | undefined) => (value === undefined ? 'none' : `"${value}"`)
    const differences = [...new Set([...theirs.keys(), ...ours.keys()])]
      .filter((name) => theirs.get(name) !== ours.get(name))
      .map((name) => `${name}: ${shown(theirs.get(name))}, here ${shown(ours.get(name))}`)
    const expected = DIFFERENCES.map((line) => line.replace('STATE', role.toUpperCase()))
    expect(differences.toSorted()).toEqual(expected.toSorted())
  })
})

const HOSTILE = ['a b', 'a\nvrrp_script x', '"', '', 'a;', '$x', '@x', '{', '}']

test.each(HOSTILE)('%j never becomes configuration', (value) => {
  const texts: readonly Partial<VrrpInstance>[] = [
    { interface: value },
    { load_balancer_id: value },
    { vrrp_ip: value },
    { peers: [value] },
    { group: { advert_int: 1, auth_pass: value } },
    { vips: [{ ip_address: value, subnet_cidr: '10.0.0.0/8', gateway: null, host_routes: [] }] },
    { vips: [{ ip_address: '10.0.0.1', subnet_cidr: value, gateway: null, host_routes: [] }] },
  ]
  for (const text of texts)
    expect(() => renderVrrp({ ...USUAL, ...text }, VRRP_OPTIONS)).toThrow(AssertionFailure)
  const options = { ...VRRP_OPTIONS, base_path: value }
  expect(() => renderVrrp(USUAL, options)).toThrow(AssertionFailure)
})
