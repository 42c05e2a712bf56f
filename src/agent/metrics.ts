/**
 * The metrics of PROMETHEUS listeners: haproxy hands requests for them to this server in the
 * amphora's namespace, which asks haproxy's exporter and answers in Octavia's words.
 */

import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import {
  EXPORTER_PORT,
  METRICS_HOST,
  METRICS_PATH,
  METRICS_PORT,
  renameMetrics,
} from '../dataplane/haproxy/metrics.ts'
import type { Log } from '../system/log.ts'
import { inNetworkNamespace } from '../system/namespace.ts'
import { parseMemory } from './details.ts'
import { collectAnswer } from './haproxy-socket.ts'
import { NAMESPACE_PATH } from './paths.ts'

const REQUEST = `GET ${METRICS_PATH} HTTP/1.0\r\n\r\n`
const HEADERS = {
  'cache-control': 'no-cache',
  'content-type': 'text/plain; version=0.0.4',
  connection: 'close',
}

export interface MetricsServer {
  stop(): Promise<void>
}

/** Without it only PROMETHEUS listeners fail, so it never keeps the agent from its work. */
export function startMetrics(log: Log): MetricsServer {
  try {
    const server = inNetworkNamespace(NAMESPACE_PATH, () =>
      Bun.serve({
        hostname: METRICS_HOST,
        port: METRICS_PORT,
        development: false,
        fetch: (request) => answer(log, request),
      }),
    )
    return { stop: () => server.stop(true) }
  } catch (error) {
    log.error('PROMETHEUS listeners will not answer', { error })
    return { stop: async () => {} }
  }
}

async function answer(log: Log, request: Request): Promise<Response> {
  if (request.method !== 'GET' || new URL(request.url).pathname !== METRICS_PATH)
    return new Response(null, { status: 404 })
  try {
    const text = await askExporter()
    return new Response(renameMetrics(text, currentLoad()), { headers: HEADERS })
  } catch (error) {
    log.warning('metrics could not be had', { error })
    return new Response(null, { status: 502, headers: { connection: 'close' } })
  }
}

async function askExporter(): Promise<string> {
  const reply = await collectAnswer('the exporter', REQUEST, (socket) =>
    inNetworkNamespace(NAMESPACE_PATH, () =>
      Bun.connect({ hostname: METRICS_HOST, port: EXPORTER_PORT, socket }),
    ),
  )
  const end = reply.indexOf('\r\n\r\n')
  if (!/^HTTP\/1\.\d 200 /.test(reply) || end < 0)
    throw new Error(`the exporter answers ${reply.slice(0, 40)}`)
  return reply.slice(end + 4)
}

function currentLoad(): { cpu: number; memory: number } {
  const { total, free, buffers, cached } = parseMemory(readFileSync('/proc/meminfo', 'utf8'))
  const used = total - free - buffers - cached
  return {
    cpu: ((loadavg()[0] ?? 0) / cpus().length) * 100,
    memory: total === 0 ? 0 : (used / total) * 100,
  }
}
