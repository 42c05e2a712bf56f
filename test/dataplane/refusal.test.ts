/** Whom haproxy's complaints are about, in its own words, and what is made of a configuration. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderHaproxy } from '../../src/dataplane/haproxy/configuration.ts'
import { hasListener, refusedListeners, withFates } from '../../src/dataplane/haproxy/refusal.ts'
import { type Case, renderingOf } from './case.ts'

const HAPROXY =
  process.env.HAPROXY_ALSO ?? Bun.which('haproxy', { PATH: `${process.env.PATH}:/usr/sbin` })
const why = HAPROXY === null ? ' (needs haproxy)' : ''

type Pools = NonNullable<Case['pools']>
const pool = (id: string, over: Partial<Pools[number]> = {}): Pools[number] => ({
  ...{ id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', ...over },
  members: [{ id: `m-${id}`, address: '192.0.2.1', protocol_port: 80 }],
})
const input = (over: Partial<Case> = {}): Case => ({
  about: 'two listeners',
  listeners: [
    { id: 'one', protocol: 'HTTP', protocol_port: 80, default_pool_id: 'p' },
    { id: 'two', protocol: 'HTTP', protocol_port: 81, default_pool_id: 'q' },
  ],
  pools: [pool('p'), pool('q')],
  ...over,
})
const NO_CIPHER = { tls_enabled: true, tls_ciphers: 'HIGH:!ALL' }
const rule = (listener_id: string, value: string) => ({
  ...{ id: `policy-${listener_id}`, listener_id, action: 'REJECT' as const },
  rules: [
    { id: `rule-${value.length}`, type: 'PATH' as const, compare_type: 'REGEX' as const, value },
  ],
})

test.skipIf(HAPROXY === null).each([
  ['nothing', input(), {}],
  [
    'ciphers of a pool',
    input({ pools: [pool('p'), pool('q', NO_CIPHER)] }),
    { two: /^haproxy says: .*cipher list.*HIGH:!ALL/ },
  ],
  [
    'a pool of both',
    input({
      listeners: ['one', 'two'].map((id, at) => ({
        ...{ id, protocol: 'HTTP' as const, protocol_port: 80 + at, default_pool_id: 'p' },
      })),
      pools: [pool('p', NO_CIPHER)],
    }),
    { one: /cipher list/, two: /cipher list/ },
  ],
  [
    'a regular expression',
    input({ l7policies: [rule('one', '^/a'), rule('two', '(?<=a+)b')] }),
    { two: /^haproxy says: .*regex/i },
  ],
  ['lines of the operator', input({ options: { additions: { global: ['nonsense'] } } }), {}],
])(`haproxy refuses %s${why}`, (what, asked, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-refusal-'))
  const rendering = renderingOf({ ...asked, options: { base_path: folder, ...asked.options } })
  const ask = (text: string): { code: number; said: string } => {
    const file = join(folder, 'haproxy.cfg.new')
    writeFileSync(file, text)
    const { exitCode, stdout, stderr } = Bun.spawnSync([HAPROXY ?? '', '-c', '-f', file])
    return { code: exitCode, said: `${stdout}${stderr}` }
  }
  const text = renderHaproxy(rendering)
  const { code, said } = ask(text)
  expect(code === 0).toBe(what === 'nothing')
  const refused = refusedListeners(rendering, text, said)
  expect([said, [...refused.keys()].sort()]).toEqual([said, Object.keys(expected)])
  for (const [id, sentence] of Object.entries(expected)) {
    expect(refused.get(id)).toMatch(sentence as RegExp)
    expect(refused.get(id)).not.toContain(folder)
  }
  if (refused.size > 0) {
    const without = withFates(text, '', new Map([...refused.keys()].map((id) => [id, 'left out'])))
    expect(ask(without).code).toBe(0)
    const before = renderHaproxy(renderingOf({ ...input(), options: { base_path: folder } }))
    const kept = withFates(text, before, new Map([...refused.keys()].map((id) => [id, 'kept'])))
    expect(ask(kept).code).toBe(0)
  }
  rmSync(folder, { recursive: true })
})

test('sections stay whole, in their order, and those of others are not touched', () => {
  const text =
    '# x\nglobal\n    a\n\nfrontend one\n    b\n\nbackend p:one\n    c\n\nfrontend two\n    d\n'
  const before =
    '# y\nglobal\n\nfrontend one\n    old\n\nbackend q:one\n    old\n\nfrontend two\n    e\n'
  expect(hasListener(before, 'one')).toBe(true)
  expect(hasListener(before, 'on')).toBe(false)
  expect(withFates(text, before, new Map([['one', 'kept']]))).toBe(
    '# x\nglobal\n    a\n\nfrontend two\n    d\n\nfrontend one\n    old\n\nbackend q:one\n    old\n',
  )
  expect(withFates(text, '', new Map([['two', 'left out']]))).toBe(
    '# x\nglobal\n    a\n\nfrontend one\n    b\n\nbackend p:one\n    c\n',
  )
  expect(withFates(text, before, new Map())).toBe(text)
})
