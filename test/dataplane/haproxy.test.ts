/**
 * Golden files: each case's JSON gives exactly its cfg, and haproxy itself accepts that. They are
 * rewritten by UPDATE_CASES=1 and read before they are committed.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { renderUserGroup } from '../../src/agent/user-group.ts'
import { certificateFiles } from '../../src/dataplane/haproxy/certificates.ts'
import { renderHaproxy } from '../../src/dataplane/haproxy/configuration.ts'
import { NO_TLS_MATERIAL } from '../../src/model/tls.ts'
import { AssertionFailure } from '../../src/system/assert.ts'
import { type Case, renderingOf, treeOf } from './case.ts'
import { createCertificates } from './certificates.ts'

const FOLDER = join(import.meta.dirname, 'cases')
const HAPROXY = Bun.which('haproxy', { PATH: `${process.env.PATH}:/usr/sbin` })
const names = readdirSync(FOLDER).flatMap((n) => (n.endsWith('.json') ? [n.slice(0, -5)] : []))

function readCase(name: string): Case {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Case
}

function render(input: Case, tree = treeOf(input)): string {
  return renderHaproxy(renderingOf(input, tree))
}

test.each(names)('case %s', (name) => {
  const file = join(FOLDER, `${name}.cfg`)
  const text = render(readCase(name))
  if (process.env.UPDATE_CASES === '1') writeFileSync(file, text)
  expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : 'a cfg file of that name')
})

/** The one that is installed, and one more, of another version, where HAPROXY_ALSO names it. */
const PROGRAMS = [HAPROXY, process.env.HAPROXY_ALSO ?? null].filter((path) => path !== null)

function versionOf(haproxy: string): string {
  const { stdout } = Bun.spawnSync([haproxy, '-v'])
  return /version (\d\S*)/.exec(stdout.toString())?.[1] ?? ''
}

/** Each is given what is rendered for its own version. As root it also looks up `user nobody`. */
describe.skipIf(PROGRAMS.length === 0).each(PROGRAMS)('%s', (haproxy) => {
  const haproxy_version = versionOf(haproxy)
  const certificates = createCertificates()
  test.each(names)(`haproxy accepts %s`, (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-cfg-'))
    const written = readCase(name)
    const facts = { ...written.facts, haproxy_version }
    const options = { ...written.options, base_cert_dir: folder }
    const rendering = { ...renderingOf({ ...written, facts, options }), tls: certificates.tls }
    const text = renderHaproxy(rendering)
    mkdirSync(join(folder, rendering.tree.id))
    for (const file of certificateFiles(rendering))
      writeFileSync(join(folder, rendering.tree.id, file.name), file.content)
    const [file, group] = [join(folder, 'haproxy.cfg'), join(folder, 'group.cfg')]
    writeFileSync(file, text)
    writeFileSync(group, renderUserGroup())
    const { exitCode, stdout, stderr } = Bun.spawnSync([haproxy, '-c', '-f', file, '-f', group])
    rmSync(folder, { recursive: true })
    expect(exitCode, `${stdout}${stderr}`).toBe(0)
  })
})

const HOSTILE = [
  'a\nfrontend evil',
  'a\r\nglobal',
  'a option httpchk',
  'a\tb',
  'a\u00a0b',
  'a\u2028b',
  'a\0b',
  '',
]

/** The sections and directives of a text: what an injected value would add to. */
function skeleton(text: string): readonly string[] {
  return text.split('\n').map((line) => line.trim().split(' ').slice(0, 2).join(' '))
}

/** The first of each kind. */
function partsOf(tree: ReturnType<typeof treeOf>) {
  const [pool] = tree.pools
  const [l7policy] = tree.l7policies
  return {
    load_balancer: tree,
    listener: tree.listeners[0],
    pool,
    member: pool?.members[0],
    health_monitor: pool?.healthmonitor,
    l7policy,
    l7rule: l7policy?.rules[0],
  }
}

const CHILDREN = [
  'listeners',
  'pools',
  'members',
  'amphorae',
  'healthmonitor',
  'l7policies',
  'rules',
]

describe.each(['http', 'l7', 'tls-listeners', 'tls-pools'])(
  'no value of any field of %s becomes configuration',
  (name) => {
    const input = readCase(name)
    const usual = skeleton(render(input))
    const rows = Object.entries(partsOf(treeOf(input))).flatMap(([part, row]) =>
      Object.keys(row ?? {})
        .filter((key) => !CHILDREN.includes(key))
        .map((key) => [part, key] as const),
    )
    test.each(rows)('%s.%s', (part, key) => {
      for (const value of HOSTILE) {
        const changed = treeOf(input)
        const target = partsOf(changed)[part as keyof ReturnType<typeof partsOf>] as Record<
          string,
          unknown
        >
        const old = target[key]
        target[key] = typeof old === 'object' && old !== null ? hostileObject(old, value) : value
        let text: string
        try {
          text = render(input, changed)
        } catch (error) {
          // Refused by the gate, or by an assertion or a type before it: nothing is rendered.
          expect(error).toBeInstanceOf(Error)
          continue
        }
        const before = new Set(usual)
        const added = skeleton(text).filter((line) => !before.has(line))
        // A changed id or status may take lines away or rename a section; nothing unknown may come
        // in.
        expect(added.filter((line) => /evil|global|httpchk/.test(line))).toEqual([])
        expect(text.split('\n').length).toBeLessThanOrEqual(usual.length)
        expect(text).not.toMatch(/[\t\r\0\u00a0\u2028]/)
      }
    })
  },
)

function hostileObject(old: object, value: string): unknown {
  if (Array.isArray(old)) return [value]
  return { ...Object.fromEntries(Object.keys(old).map((key) => [key, value])), [value]: 'true' }
}

test('what haproxy reads specially is escaped', () => {
  const text = render({
    about: '',
    listeners: [{ id: 'l', protocol: 'HTTP', default_pool_id: 'p' }],
    pools: [
      {
        id: 'p',
        protocol: 'HTTP',
        healthmonitor: { type: 'HTTP', http_method: 'GET', url_path: `/'"#\\`, http_version: null },
      },
    ],
  })
  expect(text).toContain(`option httpchk GET /\\'\\"\\#\\\\\n`)
})

test('a project cannot put fields of its own into the log format', () => {
  const load_balancer = { project_id: '%[src] %ci' }
  const text = render({ about: '', load_balancer, listeners: [{ id: 'l', protocol: 'HTTP' }] })
  expect(text).toContain('log-format %%[src]\\ %%ci\\ lb-1\\ %f')
})

test.each([
  { total: 1_000_000, own_memory: true, limits: [-1, -1], maxconn: 62_500 },
  { total: 1_000_000, own_memory: true, limits: [100, 200], maxconn: 300 },
  { total: 16_000_000, own_memory: false, limits: [-1, -1], maxconn: 62_500 },
  { total: 64_000_000, own_memory: true, limits: [2_147_483_647], maxconn: 1_000_000 },
  { total: 1, own_memory: true, limits: [-1], maxconn: 1_000 },
])('$total KiB have room for $maxconn connections', ({ total, own_memory, limits, maxconn }) => {
  const memory = { total, free: 0, buffers: 0, cached: 0 }
  const listeners = limits.map((connection_limit, at) => ({ id: `l${at}`, connection_limit }))
  const text = render({ about: '', facts: { memory }, options: { own_memory }, listeners })
  expect(text).toContain(`\n    maxconn ${maxconn}\n    httpclient`)
})

test.each([
  { versions: ['TLSv1.2', 'TLSv1.3'], words: 'ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3' },
  { versions: ['TLSv1.3', 'TLSv1'], words: 'ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.3' },
  { versions: ['TLSv1', 'TLSv1.1'], words: 'ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1' },
  { versions: ['SSLv3', 'TLSv1', 'TLSv1.2'], words: 'ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2' },
])('of $versions haproxy is told the newest range', ({ versions, words }) => {
  const listener = {
    id: 'l',
    protocol: 'TERMINATED_HTTPS',
    default_tls_container_ref: 'ref',
    tls_versions: versions,
  } as const
  expect(render({ about: '', listeners: [listener] })).toContain(`${words}\n`)
})

test('a monitor without delay checks every second', () => {
  const text = render({
    about: '',
    listeners: [{ id: 'l', protocol: 'HTTP', default_pool_id: 'p' }],
    pools: [
      {
        ...{ id: 'p', protocol: 'HTTP', healthmonitor: { type: 'TCP', delay: 0 } },
        members: [{ id: 'm', address: '10.0.0.9', protocol_port: 1 }],
      },
    ],
  })
  expect(text).toContain(' check inter 1s fall ')
})

test('certificates of a pool that are not there are not left out silently', () => {
  const pool = {
    id: 'p',
    protocol: 'HTTP',
    tls_enabled: true,
    ca_tls_container_ref: 'ref',
  } as const
  const input: Case = {
    about: '',
    listeners: [{ id: 'l', protocol: 'HTTP', default_pool_id: 'p' }],
    pools: [{ ...pool, members: [{ id: 'm', address: '10.0.0.9', protocol_port: 1 }] }],
  }
  const rendering = { ...renderingOf(input), tls: NO_TLS_MATERIAL }
  expect(() => renderHaproxy(rendering)).toThrow(AssertionFailure)
})
