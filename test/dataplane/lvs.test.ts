/**
 * Golden files: each case's JSON gives exactly its conf, and keepalived itself accepts that. They
 * are rewritten by UPDATE_CASES=1 and read before they are committed.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderLvs } from '../../src/dataplane/keepalived/lvs.ts'
import { AssertionFailure, present } from '../../src/system/assert.ts'
import { type Case, treeOf } from './case.ts'
import { KEEPALIVED, keepalivedVerdict } from './keepalived.ts'

const FOLDER = join(import.meta.dirname, 'lvs-cases')
const names = readdirSync(FOLDER).flatMap((n) => (n.endsWith('.json') ? [n.slice(0, -5)] : []))

function readCase(name: string): Case {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Case
}

function render(input: Case, tree = treeOf(input)): string {
  const listener = present(tree.listeners[0], 'a listener of the case')
  return renderLvs(tree, listener)
}

test.each(names)('case %s', (name) => {
  const file = join(FOLDER, `${name}.conf`)
  const text = render(readCase(name))
  if (process.env.UPDATE_CASES === '1') writeFileSync(file, text)
  expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : 'a conf file of that name')
})

const verdict = (text: string): string | undefined => keepalivedVerdict(KEEPALIVED ?? '', text)
const why = KEEPALIVED === null ? ' (needs keepalived)' : ''
test.skipIf(KEEPALIVED === null).each(names)(`keepalived accepts %s${why}`, (name) => {
  expect(verdict(readFileSync(join(FOLDER, `${name}.conf`), 'utf8'))).toBeUndefined()
})

test.skipIf(KEEPALIVED === null)(`keepalived can refuse${why}`, () => {
  const text = readFileSync(join(FOLDER, 'udp.conf'), 'utf8')
  expect(verdict(text.replace('lb_algo wrr', 'lb_algo nonsense'))).toContain('nonsense')
})

const HOSTILE = ['a\nvirtual_server x {', 'a b', 'a"b', 'a}b', 'a{', 'a!b', 'a#b', '$_PID', '']
const TARGETS = {
  load_balancer: ['id', 'vip_address'],
  listener: ['id', 'protocol', 'protocol_port', 'allowed_cidrs'],
  pool: ['id', 'session_persistence'],
  member: ['id', 'address', 'protocol_port', 'weight', 'monitor_address', 'monitor_port'],
  healthmonitor: ['id', 'delay', 'timeout', 'max_retries_down', 'expected_codes', 'domain_name'],
} as const
const rows = Object.entries(TARGETS).flatMap(([part, keys]) =>
  keys.map((key) => [part, key] as const),
)

test.each(rows)('no value of %s.%s becomes configuration', (part, key) => {
  for (const name of ['udp', 'http-check'])
    for (const value of HOSTILE) {
      const tree = treeOf(readCase(name))
      const [pool] = tree.pools
      const parts = {
        load_balancer: tree,
        listener: tree.listeners[0],
        pool,
        member: pool?.members[0],
        healthmonitor: pool?.healthmonitor,
      }
      const row = parts[part as keyof typeof parts] as unknown as Record<string, unknown>
      row[key] = hostile(key, value)
      let text: string
      try {
        text = render(readCase(name), tree)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        continue
      }
      // What was not refused was not looked at, or taken for absent.
      expect(text).not.toContain('a\n')
      if (value !== '') expect(text).not.toContain(value)
    }
})

function hostile(key: string, value: string): unknown {
  if (key === 'allowed_cidrs') return [value]
  if (key !== 'session_persistence') return value
  return { type: 'SOURCE_IP', persistence_timeout: value, persistence_granularity: value }
}

test.each(['/a"b', '/a b', '/a\n', '/a\\', '/a{'])('a path %j is refused', (url_path) => {
  const input = readCase('http-check')
  const tree = treeOf(input)
  const monitor = tree.pools[0]?.healthmonitor as { url_path: string }
  monitor.url_path = url_path
  expect(() => render(input, tree)).toThrow(AssertionFailure)
})

test('what the API takes and keepalived does not is brought into its limits', () => {
  const input = readCase('http-check')
  const tree = treeOf(input)
  const [pool] = tree.pools
  Object.assign(present(pool?.healthmonitor, 'a monitor'), { delay: 0, timeout: 0 })
  const persistence = { type: 'SOURCE_IP', persistence_timeout: 5_000_000 }
  Object.assign(present(pool, 'a pool'), { session_persistence: persistence })
  const text = render(input, tree)
  expect(text).toContain('delay_loop 1\n')
  expect(text).toContain('connect_timeout 1\n')
  expect(text).toContain('persistence_timeout 2678400\n')
  if (KEEPALIVED !== null) expect(verdict(text)).toBeUndefined()
})
