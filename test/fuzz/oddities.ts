/** Lines of an haproxy configuration that are none of ours, and more or fewer than objects. */
import { peersName, type Rendering } from '../../src/dataplane/haproxy/facts.ts'
import { presentListeners } from '../../src/dataplane/haproxy/served.ts'

const HEADS = ['global', 'defaults', 'peers', 'frontend', 'backend'] as const
/** Every word with which a line of ours begins. */
const WORDS = new Set([
  ...['daemon', 'user', 'log', 'stats', 'server-state-file', 'maxconn', 'httpclient.ssl.verify'],
  ...['tune.ssl.cachesize', 'nbthread', 'cpu-map', 'external-check', 'insecure-fork-wanted'],
  ...['no', 'retries', 'option', 'peer', 'bind', 'mode', 'acl', 'http-request', 'http-response'],
  ...['redirect', 'use_backend', 'default_backend', 'timeout', 'tcp-request', 'log-format'],
  ...['http-reuse', 'balance', 'cookie', 'stick-table', 'stick', 'load-server-state-from-file'],
  ...['http-check', 'fullconn', 'server'],
])
export const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

export function haproxyOddities(rendering: Rendering, text: string): readonly string[] {
  const wrong: string[] = []
  const counts = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# Configuration for loadbalancer ')) continue
    const head = HEADS.find((word) => line === word || line.startsWith(`${word} `))
    const word = /^ {4}(\S+)/.exec(line)?.[1]
    const known = head ?? (word !== undefined && WORDS.has(word) ? word : undefined)
    if (known === undefined || CONTROLS.test(line))
      wrong.push(`a line of nobody: ${JSON.stringify(line)}`)
    else counts.set(known, (counts.get(known) ?? 0) + 1)
  }
  for (const [word, count] of Object.entries(expected(rendering)))
    if ((counts.get(word) ?? 0) !== count)
      wrong.push(`${counts.get(word) ?? 0} lines of ${word} and not ${count}`)
  return wrong
}

function expected(rendering: Rendering): Readonly<Record<string, number>> {
  const { tree } = rendering
  const served = tree.admin_state_up
    ? presentListeners(tree).filter((listener) => listener.admin_state_up)
    : []
  const exporters = served.some((listener) => listener.protocol === 'PROMETHEUS') ? 1 : 0
  const peers = peersName(rendering) === undefined ? 0 : 1
  return {
    ...{ global: 1, defaults: 1, peers, peer: peers * (tree.amphorae.length || 1) },
    frontend: served.length + exporters,
    bind: served.length * (1 + tree.additional_vips.length) + exporters,
  }
}
