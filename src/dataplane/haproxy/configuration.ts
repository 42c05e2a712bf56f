/**
 * From a load balancer to the text of its haproxy.cfg: one process serves all its listeners. Pure.
 * Object to section: load balancer = the file, listener = `frontend <listener>`, its pool =
 * `backend <pool>:<listener>`, member = `server <member>`; statistics.ts reads the same names back.
 * What is disabled is left out (members: marked `disabled`), what is in PENDING_DELETE counts as
 * gone.
 * Source of every directive and of their order: octavia/common/jinja/haproxy/combined_listeners/.
 */
import { SERVING } from '../../model/status.ts'
import { withAdditions } from './additions.ts'
import { activeMonitor, renderBackend } from './backend.ts'
import {
  atLeast,
  connectionLimit,
  logAddress,
  logsConnections,
  peerName,
  peersName,
  type Rendering,
} from './facts.ts'
import { renderFrontend } from './frontend.ts'
import { type Line, line, printSections, type Section } from './line.ts'
import { renderExporter } from './metrics.ts'
import { presentListeners, servedListeners, servedPool, usedPools } from './served.ts'
import { sessionCacheSize } from './tls.ts'

const MAXCONN_MAX = 1_000_000
const MAXCONN_LEAST = 1_000
/** Of an idle connection: two sockets of the kernel, a session, what TLS keeps. */
const CONNECTION_KIB = 16
/** For one of the amphorae that share a host's memory. */
const SHARE_OF_HOST = 1 / 16
/** Where amphorae of a pair exchange their stick tables. */
export const PEER_PORT = 1025

export function renderHaproxy(rendering: Rendering): string {
  const { tree } = rendering
  const sections = [renderGlobal(rendering), renderDefaults(rendering), ...renderPeers(rendering)]
  if (servedListeners(tree).some((listener) => listener.protocol === 'PROMETHEUS'))
    sections.push(...renderExporter(rendering.facts))
  for (const listener of servedListeners(tree)) {
    const pool = servedPool(tree, listener.default_pool_id)
    sections.push(renderFrontend(rendering, listener, pool))
    for (const used of usedPools(tree, listener))
      sections.push(renderBackend(rendering, listener, used))
  }
  const whole = sections.map((section) => withAdditions(section, rendering.options.additions))
  return printSections(line`Configuration for loadbalancer ${tree.id}`, whole)
}

/** The sum of the limits of all enabled listeners, even while the load balancer is disabled. */
function globalLimit(rendering: Rendering): number {
  const { tree, options } = rendering
  const enabled = presentListeners(tree).filter((listener) => listener.admin_state_up)
  const sum = enabled.reduce((all, listener) => all + connectionLimit(listener, options), 0)
  return Math.min(sum > 0 && sum < MAXCONN_MAX ? sum : MAXCONN_MAX, affordable(rendering))
}

/**
 * More connections than this would end in an amphora without memory; and haproxy makes, at every
 * reload, tables for all that it is allowed, 150 bytes each.
 */
function affordable({ facts, options }: Rendering): number {
  if (facts.memory === undefined) return MAXCONN_MAX
  const kib = facts.memory.total * (options.own_memory ? 1 : SHARE_OF_HOST)
  return Math.max(Math.floor(kib / CONNECTION_KIB), MAXCONN_LEAST)
}

function renderGlobal(rendering: Rendering): Section {
  const { tree, facts, options } = rendering
  const base = options.base_path
  const { cpu_count = 1, active_tuned_profiles = '' } = facts
  const pinned = cpu_count > 1 && active_tuned_profiles.split(/\s+/).includes('amphora')
  const threads = cpu_count - 1
  const limit = globalLimit(rendering)
  const cache = sessionCacheSize(rendering, limit)
  return {
    head: line`global`,
    lines: [
      line`daemon`,
      line`user nobody`,
      ...renderLogs(rendering),
      line`stats socket ${base}/${tree.id}.sock mode 0666 level user`,
      line`server-state-file ${base}/${tree.id}/servers-state`,
      line`maxconn ${limit}`,
      ...withoutAuthorities(rendering),
      ...(cache === undefined ? [] : [line`tune.ssl.cachesize ${cache}`]),
      ...externalChecks(rendering),
      ...(pinned
        ? [line`nbthread ${threads}`, line`cpu-map auto:1/1-${threads} 1-${threads}`]
        : []),
    ],
  }
}

/**
 * From 2.6 on haproxy has a client of HTTPS of its own, which nothing here uses. For it haproxy
 * would read all authorities of the system at every check and reload, longer than all else takes.
 */
function withoutAuthorities({ facts }: Rendering): readonly Line[] {
  return atLeast(facts.haproxy_version, 2, 6) ? [line`httpclient.ssl.verify none`] : []
}

/** Checks by a program of their own need leave for the whole process. */
function externalChecks({ tree, facts }: Rendering): readonly Line[] {
  const pinged = servedListeners(tree)
    .flatMap((listener) => usedPools(tree, listener))
    .some((pool) => activeMonitor(pool)?.type === 'PING')
  if (!pinged) return []
  const forks = atLeast(facts.haproxy_version, 2, 2)
  return [line`external-check`, ...(forks ? [line`insecure-fork-wanted`] : [])]
}

function renderLogs({ facts, options }: Rendering): readonly Line[] {
  const address = logAddress(facts)
  if (address === undefined) return []
  return [
    line`log ${address} local${options.user_log_facility}`,
    line`log ${address} local${options.administrative_log_facility} notice`,
  ]
}

function renderDefaults(rendering: Rendering): Section {
  return {
    head: line`defaults`,
    lines: [
      logsConnections(rendering) ? line`log global` : line`no log`,
      line`retries 3`,
      line`option redispatch`,
      line`option splice-request`,
      line`option splice-response`,
      line`option http-keep-alive`,
    ],
  }
}

function renderPeers(rendering: Rendering): readonly Section[] {
  const name = peersName(rendering)
  return name === undefined ? [] : [{ head: line`peers ${name}`, lines: peers(rendering) }]
}

function peers({ tree, facts }: Rendering): readonly Line[] {
  if (tree.topology !== 'ACTIVE_STANDBY')
    return [line`peer ${peerName(facts.amphora_id ?? '')} 127.0.0.1:${PEER_PORT}`]
  return tree.amphorae
    .filter(({ status }) => SERVING.includes(status))
    .flatMap(({ id, vrrp_ip }) =>
      vrrp_ip === null ? [] : [line`peer ${peerName(id)} ${vrrp_ip}:${PEER_PORT}`],
    )
}
