/**
 * Random load balancers as configurations of haproxy: no value may add a line, and haproxy must
 * take every one. Those of many load balancers stand in one file for it, since names differ.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderHaproxy } from '../../src/dataplane/haproxy/configuration.ts'
import { HAPROXY_OPTION_FALLBACKS, type Rendering } from '../../src/dataplane/haproxy/facts.ts'
import { presentListeners } from '../../src/dataplane/haproxy/served.ts'
import { NO_TLS_MATERIAL } from '../../src/model/tls.ts'
import type { LoadBalancerTree } from '../../src/model/tree.ts'
import { createRandom } from './random.ts'
import { Trees } from './trees.ts'

const BATCH = 100
const HEADS = ['global', 'defaults', 'frontend', 'backend'] as const
/** Every word with which a line of ours begins. */
const WORDS = new Set([
  ...['daemon', 'user', 'log', 'stats', 'server-state-file', 'maxconn', 'external-check'],
  ...['insecure-fork-wanted', 'no', 'retries', 'option', 'bind', 'mode', 'acl', 'http-request'],
  ...['redirect', 'use_backend', 'default_backend', 'timeout', 'tcp-request', 'log-format'],
  ...['http-reuse', 'balance', 'cookie', 'stick-table', 'stick', 'load-server-state-from-file'],
  ...['http-check', 'fullconn', 'server'],
])

export interface ConfigurationReport {
  readonly trees: number
  readonly lines: number
  /** Trees of which haproxy was asked; none without haproxy. */
  readonly asked: number
  /** A sentence for each thing that must not be. */
  readonly wrong: readonly string[]
}

export interface ConfigurationOptions {
  readonly seed: number
  readonly trees: number
  readonly haproxy: string | null
  readonly haproxy_version: string
  readonly progress?: (trees: number) => void
}

export function fuzzConfigurations(options: ConfigurationOptions): ConfigurationReport {
  const source = new Trees(createRandom(options.seed))
  const wrong: string[] = []
  let [lines, asked] = [0, 0]
  for (let at = 0; at < options.trees && wrong.length === 0; at += BATCH) {
    const texts: string[] = []
    for (let n = at; n < Math.min(at + BATCH, options.trees); n++) {
      const tree = source.next()
      const text = renderHaproxy(renderingOf(tree, options.haproxy_version))
      wrong.push(...oddities(tree, text).map((what) => `tree ${n}: ${what}`))
      lines += text.split('\n').length
      texts.push(text)
    }
    if (options.haproxy !== null) {
      wrong.push(...refusals(options.haproxy, texts))
      asked += texts.length
    }
    options.progress?.(at + texts.length)
  }
  return { trees: options.trees, lines, asked, wrong }
}

function renderingOf(tree: LoadBalancerTree, haproxy_version: string): Rendering {
  const facts = { haproxy_version, cpu_count: 1, active_tuned_profiles: '' }
  return { tree, facts, options: HAPROXY_OPTION_FALLBACKS, tls: NO_TLS_MATERIAL }
}

/** Lines that are none of ours, and more or fewer of them than objects. */
function oddities(tree: LoadBalancerTree, text: string): readonly string[] {
  const wrong: string[] = []
  const counts = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# Configuration for loadbalancer ')) continue
    const head = HEADS.find((word) => line === word || line.startsWith(`${word} `))
    const word = /^ {4}(\S+)/.exec(line)?.[1]
    const known = head ?? (word !== undefined && WORDS.has(word) ? word : undefined)
    if (known === undefined || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(line))
      wrong.push(`a line of nobody: ${JSON.stringify(line)}`)
    else counts.set(known, (counts.get(known) ?? 0) + 1)
  }
  const served = tree.admin_state_up
    ? presentListeners(tree).filter((listener) => listener.admin_state_up)
    : []
  const own = served.some((listener) => listener.protocol === 'PROMETHEUS') ? 1 : 0
  const expected = {
    global: 1,
    defaults: 1,
    frontend: served.length + own,
    bind: served.length + own,
  }
  for (const [word, count] of Object.entries(expected))
    if ((counts.get(word) ?? 0) !== count)
      wrong.push(`${counts.get(word) ?? 0} lines of ${word} and not ${count}`)
  return wrong
}

/** Why haproxy does not take them; each batch is one file. */
function refusals(haproxy: string, texts: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-fuzz-'))
  try {
    const file = join(folder, 'haproxy.cfg')
    writeFileSync(file, joinedText(texts))
    const { exitCode, stdout, stderr } = Bun.spawnSync([haproxy, '-c', '-f', file])
    if (exitCode === 0) return []
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('[ALERT]'))
    const at = Number(/haproxy\.cfg:(\d+)/.exec(said.join('\n'))?.[1] ?? 0)
    const line = joinedText(texts).split('\n')[at - 1]
    return [`haproxy refuses ${JSON.stringify(line)}: ${said.slice(0, 3).join(' ')}`]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** One `global` that allows all, and what is only once in a file only once. */
function joinedText(texts: readonly string[]): string {
  const global = 'global\n    external-check\n    insecure-fork-wanted\n'
  const defaults = 'defaults\n    log global\n    timeout connect 5s\n    timeout server 5s\n'
  const sections = texts.flatMap((text) =>
    text
      .split('\n\n')
      .filter((section) => /^(frontend|backend) (?!prometheus-exporter-internal)/.test(section)),
  )
  const exporter = 'backend prometheus-exporter-internal\n    mode http\n'
  return `${[global, defaults, exporter, ...sections].join('\n\n')}\n`
}
