/**
 * Random load balancers as configurations of haproxy and keepalived: no value may add a line, and
 * the programs must take every one. Those of many load balancers stand in one file, since names
 * differ; of some haproxy is asked alone, with all that is only once in a file.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderUserGroup } from '../../src/agent/user-group.ts'
import { certificateFiles } from '../../src/dataplane/haproxy/certificates.ts'
import { renderHaproxy } from '../../src/dataplane/haproxy/configuration.ts'
import {
  HAPROXY_OPTION_FALLBACKS,
  peerName,
  type Rendering,
} from '../../src/dataplane/haproxy/facts.ts'
import type { TlsMaterial } from '../../src/model/tls.ts'
import type { LoadBalancerTree } from '../../src/model/tree.ts'
import { createCertificates } from '../dataplane/certificates.ts'
import { keepalivedVerdict } from '../dataplane/keepalived.ts'
import { datagramOddities, joinedDatagrams, renderDatagrams } from './datagrams.ts'
import { haproxyOddities } from './oddities.ts'
import { createRandom, type Random } from './random.ts'
import { FIRST_AMPHORA, Trees } from './trees.ts'

const BATCH = 100
/** Of this many one is asked about alone. */
const ALONE_EVERY = 25

export interface ConfigurationReport {
  readonly trees: number
  readonly lines: number
  /** Listeners that are keepalived's. */
  readonly datagrams: number
  /** Trees of which haproxy was asked, and those alone in a file; none without haproxy. */
  readonly asked: number
  readonly alone: number
  /** A sentence for each thing that must not be. */
  readonly wrong: readonly string[]
}

export interface ConfigurationOptions {
  readonly seed: number
  readonly trees: number
  readonly haproxy: string | null
  readonly haproxy_version: string
  readonly keepalived: string | null
  readonly progress?: (trees: number) => void
}

interface Rendered {
  readonly number: number
  readonly text: string
  readonly datagrams: readonly string[]
}

export function fuzzConfigurations(options: ConfigurationOptions): ConfigurationReport {
  const random = createRandom(options.seed)
  const source = new Trees(random)
  const wrong: string[] = []
  let [lines, datagrams, asked, alone] = [0, 0, 0, 0]
  const { tls } = createCertificates()
  for (let at = 0; at < options.trees && wrong.length === 0; at += BATCH) {
    const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-fuzz-'))
    try {
      const batch: Rendered[] = []
      for (let number = at; number < Math.min(at + BATCH, options.trees); number++) {
        const rendering = renderingOf({ random, tls, folder, ...options }, source.next())
        const one = render(number, rendering)
        wrong.push(...oddities(rendering, one))
        writeCertificates(folder, rendering)
        batch.push(one)
      }
      lines += batch.reduce((sum, { text }) => sum + text.split('\n').length, 0)
      datagrams += batch.reduce((sum, each) => sum + each.datagrams.length, 0)
      wrong.push(...refused(options, folder, batch))
      if (options.haproxy !== null) {
        asked += batch.length
        alone += batch.filter(isAlone).length
      }
      options.progress?.(at + batch.length)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  return { trees: options.trees, lines, datagrams, asked, alone, wrong }
}

interface Around {
  readonly random: Random
  readonly tls: TlsMaterial
  readonly folder: string
  readonly haproxy_version: string
}

/** Of an amphora and of options as they may be. */
function renderingOf(around: Around, tree: LoadBalancerTree): Rendering {
  const { random, tls, folder, haproxy_version } = around
  const memory = { total: 1_000_000, free: 600_000, buffers: 0, cached: 0 }
  const facts = {
    ...{ haproxy_version, cpu_count: random.between(1, 2) },
    ...(random.chance(0.5) ? { amphora_id: FIRST_AMPHORA } : {}),
    active_tuned_profiles: random.pick(['', 'virtual-guest amphora']),
    ...(random.chance(0.5) ? { memory } : {}),
    ...random.pick([{}, { log_address: null }, { log_address: '127.0.0.1:1514' }]),
  }
  const options = {
    ...HAPROXY_OPTION_FALLBACKS,
    base_cert_dir: folder,
    connection_logging: random.chance(0.8),
    own_memory: random.chance(0.5),
    ...(random.chance(0.3)
      ? { user_log_format: '{{ lb_id }} {{ project_id }} %ci:%cp %{+Q}r %ST "%B"' }
      : {}),
  }
  return { tree, facts, options, tls }
}

function render(number: number, rendering: Rendering): Rendered {
  const { tree } = rendering
  return { number, text: renderHaproxy(rendering), datagrams: renderDatagrams(tree) }
}

function oddities(rendering: Rendering, { number, text, datagrams }: Rendered): string[] {
  const all = [...haproxyOddities(rendering, text), ...datagrams.flatMap(datagramOddities)]
  return all.map((what) => `tree ${number}: ${what}`)
}

/** All load balancers of a batch share one folder, for contents and ids differ. */
function writeCertificates(folder: string, rendering: Rendering): void {
  const files = certificateFiles(rendering)
  if (files.length === 0) return
  const shared = join(folder, 'shared')
  mkdirSync(shared, { recursive: true })
  symlinkSync('shared', join(folder, rendering.tree.id))
  for (const { name, content } of files) writeFileSync(join(shared, name), content)
}

function refused(
  { haproxy, keepalived }: ConfigurationOptions,
  folder: string,
  batch: readonly Rendered[],
): readonly string[] {
  const wrong: string[] = []
  if (haproxy !== null) {
    const ask = (text: string): string | undefined => haproxyVerdict(haproxy, folder, text)
    const together = ask(joinedText(batch.map(({ text }) => text)))
    // Asked alone, each says itself whether it was that one.
    for (const each of together === undefined ? batch.filter(isAlone) : batch) {
      const said = ask(each.text)
      if (said !== undefined) wrong.push(`tree ${each.number}: haproxy refuses ${said}`)
    }
    if (together !== undefined && wrong.length === 0)
      wrong.push(`trees from ${batch[0]?.number}: haproxy refuses together ${together}`)
  }
  const datagrams = batch.flatMap((each) => each.datagrams)
  if (keepalived !== null && datagrams.length > 0) {
    const said = keepalivedVerdict(keepalived, joinedDatagrams(datagrams))
    if (said !== undefined) wrong.push(`trees from ${batch[0]?.number}: keepalived says ${said}`)
  }
  return wrong
}

function isAlone({ number }: Rendered): boolean {
  return number % ALONE_EVERY === 0
}

/** The line and why haproxy does not take it; undefined when it does. */
function haproxyVerdict(haproxy: string, folder: string, text: string): string | undefined {
  const [file, group] = [join(folder, 'haproxy.cfg'), join(folder, 'group.cfg')]
  writeFileSync(file, text)
  writeFileSync(group, renderUserGroup())
  const argv = [haproxy, '-c', '-L', peerName(FIRST_AMPHORA), '-f', file, '-f', group]
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv)
  if (exitCode === 0) return undefined
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('[ALERT]'))
  const at = Number(/haproxy\.cfg:(\d+)/.exec(said.join('\n'))?.[1] ?? 0)
  return `${JSON.stringify(text.split('\n')[at - 1])}: ${said.slice(0, 3).join(' ')}`
}

/** One `global` that allows all, and what is only once in a file only once. */
function joinedText(texts: readonly string[]): string {
  const global =
    'global\n    external-check\n    insecure-fork-wanted\n    httpclient.ssl.verify none\n'
  const defaults = 'defaults\n    log global\n    timeout connect 5s\n    timeout server 5s\n'
  const sections = texts.flatMap((text) =>
    text
      .split('\n\n')
      .filter((section) =>
        /^(peers|frontend|backend) (?!prometheus-exporter-internal)/.test(section),
      ),
  )
  const exporter = 'backend prometheus-exporter-internal\n    mode http\n'
  return `${[global, defaults, exporter, ...sections].join('\n\n')}\n`
}
