/**
 * haproxy's own metrics in Octavia's words, for PROMETHEUS listeners. Its kinds of objects are
 * renamed; of its process only what is of use to the owner of a load balancer is shown. Pure.
 * Source: octavia/cmd/prometheus_proxy.py.
 */
import type { AmphoraFacts } from './facts.ts'
import { atLeast } from './facts.ts'
import { INTERNAL } from './internal.ts'
import { type Line, line, type Section } from './line.ts'

/** Where haproxy's exporter and, in front of it, the agent listen, in the amphora's namespace. */
export const METRICS_HOST = '127.0.0.1'
export const EXPORTER_PORT = 9101
export const METRICS_PORT = 9102
export const METRICS_PATH = '/metrics'
/** What a PROMETHEUS listener leads to. */
export function metricsBackend(): Line {
  return line`default_backend ${INTERNAL}`
}

/** A PROMETHEUS listener of an older version answers 503. */
export function hasExporter(facts: AmphoraFacts): boolean {
  return atLeast(facts.haproxy_version, 2, 0)
}

export function renderExporter(facts: AmphoraFacts): readonly Section[] {
  if (!hasExporter(facts)) return []
  return [
    {
      head: line`frontend ${INTERNAL}-endpoint`,
      lines: [
        line`bind ${METRICS_HOST}:${EXPORTER_PORT}`,
        line`mode http`,
        line`no log`,
        line`http-request use-service prometheus-exporter if { path ${METRICS_PATH} }`,
        line`http-request reject`,
        line`timeout http-request 5s`,
        line`timeout client 5s`,
      ],
    },
    {
      head: line`backend ${INTERNAL}`,
      lines: [
        line`mode http`,
        line`no log`,
        line`balance first`,
        line`timeout connect 5s`,
        line`timeout server 5s`,
        line`server prometheus-internal ${METRICS_HOST}:${METRICS_PORT}`,
      ],
    },
  ]
}

/** Of the process. Others tell of the machine and its programs. */
const PROCESS_METRICS: ReadonlySet<string> = new Set([
  ...['max_connections', 'current_connections', 'connections_total', 'requests_total'],
  ...['max_ssl_connections', 'current_ssl_connections', 'ssl_connections_total'],
  ...['current_connection_rate', 'limit_connection_rate', 'max_connection_rate'],
  ...['current_session_rate', 'limit_session_rate', 'max_session_rate'],
  ...['current_ssl_rate', 'limit_ssl_rate', 'max_ssl_rate'],
  ...['current_frontend_ssl_key_rate', 'max_frontend_ssl_key_rate', 'frontend_ssl_reuse'],
  ...['current_backend_ssl_key_rate', 'max_backend_ssl_key_rate'],
  ...['ssl_cache_lookups_total', 'ssl_cache_misses_total', 'http_comp_bytes_in_total'],
  ...['http_comp_bytes_out_total', 'limit_http_comp', 'listeners', 'dropped_logs_total'],
])

interface Kind {
  readonly prefix: string
  readonly labels: Readonly<Record<string, string>>
  readonly renamed: Readonly<Record<string, string>>
}

const KINDS: Readonly<Record<string, Kind>> = {
  frontend: { prefix: 'octavia_listener_', labels: { proxy: 'listener' }, renamed: {} },
  backend: {
    prefix: 'octavia_pool_',
    labels: { proxy: 'pool' },
    renamed: {
      active_servers: 'active_members',
      backup_servers: 'backup_members',
      server_aborts_total: 'member_aborts_total',
    },
  },
  server: {
    prefix: 'octavia_member_',
    labels: { proxy: 'pool', server: 'member' },
    renamed: {},
  },
}

/** In explanations. */
const WORDS: Readonly<Record<string, string>> = {
  frontend: 'listener',
  backend: 'pool',
  server: 'member',
  servers: 'members',
  process: 'load balancer',
}

export interface Load {
  /** Per cent. */
  readonly cpu: number
  readonly memory: number
}

/** All lines of haproxy's exporter, and the two that are ours. */
export function renameMetrics(text: string, load: Load): string {
  const lines = text.split('\n').flatMap((each) => {
    const renamed = renameLine(each)
    return renamed === undefined ? [] : [renamed]
  })
  const own = [
    '# HELP octavia_loadbalancer_cpu Load balancer CPU utilization (percentage).',
    '# TYPE octavia_loadbalancer_cpu gauge',
    `octavia_loadbalancer_cpu ${load.cpu.toFixed(1)}`,
    '# HELP octavia_loadbalancer_memory Load balancer memory utilization (percentage).',
    '# TYPE octavia_loadbalancer_memory gauge',
    `octavia_loadbalancer_memory ${load.memory.toFixed(1)}`,
  ]
  return `${[...own, ...lines].join('\n')}\n`
}

/** undefined for a line that is not shown. */
function renameLine(text: string): string | undefined {
  const found = /^(# (?:HELP|TYPE) )?haproxy_([a-z]+)_([a-z0-9_]+)(.*)$/.exec(text)
  if (found === null || text.includes(`"${INTERNAL}`)) return undefined
  const [, comment = '', kind = '', metric = '', rest = ''] = found
  const name = nameOf(kind, metric)
  if (name === undefined) return undefined
  if (comment.includes('HELP')) return `${comment}${name}${inOurWords(rest)}`
  return `${comment}${name}${comment === '' ? withLabels(rest, KINDS[kind]?.labels ?? {}) : rest}`
}

function nameOf(kind: string, metric: string): string | undefined {
  if (kind === 'process') {
    const memory = /^pool_((?:allocated|used)_bytes|failures_total)$/.exec(metric)?.[1]
    if (memory !== undefined) return `octavia_memory_pool_${memory}`
    return PROCESS_METRICS.has(metric) ? `octavia_loadbalancer_${metric}` : undefined
  }
  const own = KINDS[kind]
  return own === undefined ? undefined : `${own.prefix}${own.renamed[metric] ?? metric}`
}

function inOurWords(text: string): string {
  return text.replace(/\b[a-z]+\b/gi, (word) => WORDS[word.toLowerCase()] ?? word)
}

/** `{proxy="a",server="b"} 1`: names stand before `=`; values are ids and states. */
function withLabels(text: string, labels: Readonly<Record<string, string>>): string {
  return text.replace(/([{,])([a-z]+)=/g, (_, before: string, name: string) => {
    return `${before}${labels[name] ?? name}=`
  })
}
