/**
 * The load balancer of an operator's Train deployment: our configuration for the same objects says
 * what theirs in seed/haproxy.cfg says, line by line, but for the differences in the table.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderHaproxy } from '../../src/dataplane/haproxy/configuration.ts'
import { type Case, renderingOf } from './case.ts'

const LB = '5bdd8160-2217-47b1-9a6d-91db5cfa15ea'
const LISTENER = '460eccd0-2014-4c6c-b50c-80152b73fd56'
const POOL = '331026f7-1e79-4642-af9d-94c189f24c29'

const INPUT: Case = {
  about: 'web_app',
  load_balancer: { id: LB, vip_address: '10.10.10.184', topology: 'ACTIVE_STANDBY' },
  listeners: [{ id: LISTENER, protocol: 'TCP', protocol_port: 22, default_pool_id: POOL }],
  pools: [
    {
      id: POOL,
      protocol: 'TCP',
      healthmonitor: { type: 'TCP', delay: 5, timeout: 5, max_retries: 3, max_retries_down: 3 },
      members: [
        ['2705c383-1f93-4947-b09d-5c052d484f5f', '192.1.0.13'],
        ['515ed29e-eda4-42c4-8b27-0d5c6add1a91', '192.1.0.144'],
      ].map(([id = '', address = '']) => ({ id, address, protocol_port: 22, weight: 1 })),
    },
  ],
  amphorae: [
    {
      id: 'a4b92c63-1819-4cfa-a177-3aa94b4733c8',
      status: 'ALLOCATED',
      vrrp_ip: '10.10.10.53',
    },
    {
      id: 'bace39b5-9ca6-4e84-96ca-fbd5f1a7831c',
      status: 'ALLOCATED',
      vrrp_ip: '10.10.10.33',
    },
  ],
  // Ubuntu 18.04.
  facts: { haproxy_version: '1.8.8-1ubuntu0.10' },
  // What Train's code had in place of the option.
  options: { default_connection_limit: 1_000_000 },
}

/** A line of theirs that ours does not have, or has instead; and why. */
const DIFFERENCES: readonly (readonly [theirs: string, ours: string, why: string])[] = [
  ['log /dev/log local0', 'log /run/rsyslog/octavia/log local0', 'the socket since Ussuri'],
  [
    'log /dev/log local1 notice',
    'log /run/rsyslog/octavia/log local1 notice',
    'the socket since Ussuri',
  ],
  ['option tcplog', 'log-format', 'the format is an option since Ussuri'],
  ['', `server-state-file /var/lib/octavia/${LB}/servers-state`, 'members keep their state'],
  ['', 'load-server-state-from-file global', 'members keep their state'],
]

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

test('it does what the file of the deployment does', () => {
  const theirs = linesOf(readFileSync(join(import.meta.dirname, 'seed/haproxy.cfg'), 'utf8'))
  const ours = linesOf(renderHaproxy(renderingOf(INPUT))).map((line) =>
    line.replace(/^(log-format) .*/, '$1'),
  )
  const without = DIFFERENCES.map(([old]) => old)
  const added = DIFFERENCES.map(([, now]) => now)
  expect(ours.filter((line) => !added.includes(line))).toEqual(
    theirs.filter((line) => !without.includes(line)),
  )
  expect(added.filter((line) => !ours.includes(line))).toEqual([])
})
