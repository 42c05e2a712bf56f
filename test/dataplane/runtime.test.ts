/** Which changes need no new process, and what the old one is told. */
import { expect, test } from 'vitest'
import {
  isBusy,
  isDone,
  namesIn,
  planRuntime,
  serversOf,
  settledState,
} from '../../src/dataplane/haproxy/runtime.ts'

const one = 'server one 10.0.0.1:80 weight 1 check inter 5s fall 3 rise 3'
const two = 'server two 10.0.0.2:80 weight 2'

function config(...servers: readonly string[]): string {
  const lines = ['mode http', 'balance roundrobin', ...servers].map((line) => `    ${line}`)
  const front = 'global\n    maxconn 5\n\nfrontend l\n    mode http\n    default_backend p:l\n'
  return `${front}\nbackend p:l\n${lines.join('\n')}\n`
}

const reload = { kind: 'reload' }

function commands(from: string, to: string): readonly string[] | string {
  const plan = planRuntime(from, to)
  return plan.kind === 'reload' ? plan.kind : plan.commands.map(({ text }) => text)
}

test.each<[string, string, string, readonly string[] | string]>([
  ['nothing', config(one, two), config(one, two), []],
  ['another order of servers', config(one, two), config(two, one), []],
  [
    'a weight',
    config(one),
    config(one.replace('weight 1', 'weight 7')),
    ['set server p:l/one weight 7'],
  ],
  [
    'draining',
    config(two),
    config(two.replace('weight 2', 'weight 0')),
    ['set server p:l/two weight 0'],
  ],
  ['disabling', config(two), config(`${two} disabled`), ['set server p:l/two state maint']],
  ['enabling', config(`${two} disabled`), config(two), ['set server p:l/two state ready']],
  [
    'enabling with another weight',
    config(`${two} disabled`),
    config(two.replace('weight 2', 'weight 3')),
    ['set server p:l/two weight 3', 'set server p:l/two state ready'],
  ],
  [
    'a new server with checks',
    config(two),
    config(two, one),
    [
      'add server p:l/one 10.0.0.1:80 weight 1 check inter 5s fall 3 rise 3',
      'enable health p:l/one',
      'set server p:l/one state ready',
    ],
  ],
  [
    'a new server that is disabled',
    config(one),
    config(one, `${two} disabled`),
    ['add server p:l/two 10.0.0.2:80 weight 2 disabled'],
  ],
  [
    'a server that goes, after the one that comes',
    config(one),
    config(two),
    [
      'add server p:l/two 10.0.0.2:80 weight 2',
      'set server p:l/two state ready',
      'set server p:l/one state maint',
      'del server p:l/one',
    ],
  ],
  ['another address', config(two), config(two.replace('.2:', '.3:')), 'reload'],
  ['another check', config(one), config(one.replace('fall 3', 'fall 4')), 'reload'],
  ['backup', config(two), config(`${two} backup`), 'reload'],
  ['another algorithm', config(two), config(two).replace('roundrobin', 'leastconn'), 'reload'],
  ['another limit', config(two), config(two).replace('maxconn 5', 'maxconn 6'), 'reload'],
  ['a new pool', config(two), `${config(two)}\nbackend q:l\n    ${two}\n`, 'reload'],
  ['a name that is there twice', config(two), config(two, two), 'reload'],
  ['thousands of servers', config(two), config(...many()), 'reload'],
])('%s', (_, from, to, expected) => {
  expect(commands(from, to)).toEqual(expected)
})

function many(): readonly string[] {
  return Array.from({ length: 1_500 }, (_, at) => `server s${at} 10.0.0.2:80 weight 1`)
}

test('the server behind metrics is no member', () => {
  const exporter = (port: number): string =>
    `${config(one)}\nbackend prometheus-exporter-internal\n    server x 127.0.0.1:${port}\n`
  expect([...serversOf(exporter(9102)).keys()]).toEqual(['p:l/one'])
  expect(planRuntime(exporter(9102), exporter(9103))).toEqual(reload)
})

test.each([
  ['', true, false],
  ['New server registered.', true, false],
  ['Server deleted.', true, false],
  ['No such server.', false, false],
  ["'cookie' option is not accepted for dynamic server", false, false],
  ['Server still has connections attached to it, cannot remove it.', false, true],
])('the answer "%s"', (answer, done, busy) => {
  expect([isDone(answer), isBusy(answer)]).toEqual([done, busy])
})

test('what was set at runtime is kept as the configuration has it', () => {
  const head = '1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state'
  const rest = '10 1 0 2 0 0 0 0 - 80 - 0 0 - - 0'
  const state = [
    `${head} ...`,
    `3 p:l 1 one 10.0.0.1 2 4 9 1 ${rest}`,
    `3 p:l 2 two 10.0.0.2 0 1 2 2 ${rest}`,
    `3 p:l 7 gone 10.0.0.3 0 1 2 2 ${rest}`,
    '',
  ].join('\n')
  expect(settledState(state, config(one, `${two} disabled`)).split('\n')).toEqual([
    ...head.split('\n').slice(0, 1),
    `${head.split('\n')[1]} ...`,
    `3 p:l 1 one 10.0.0.1 2 0 1 1 ${rest}`,
    `3 p:l 2 two 10.0.0.2 0 5 2 2 ${rest}`,
    '',
  ])
  expect(namesIn(state)).toEqual(['p:l/one', 'p:l/two', 'p:l/gone'])
})
