/** Whether a serve runs and does what it should: it answers, and it hears heartbeats. */
import type { Config } from '../../config/options.ts'
import { record, text } from '../../driver/openstack/json.ts'
import { readTextIfExists } from '../../system/files.ts'
import { errorText } from '../../system/log.ts'
import { type Finding, look, Wrong } from './finding.ts'

const ANSWER_MS = 5_000

/** Where a program of this machine reaches it. */
export function localUrl({ api_settings: { bind_host, bind_port } }: Config): string {
  const host = bind_host === '0.0.0.0' ? '127.0.0.1' : bind_host === '::' ? '::1' : bind_host
  return `http://${host.includes(':') ? `[${host}]` : host}:${bind_port}`
}

export async function checkService(config: Config): Promise<readonly Finding[]> {
  const api = await checkApi(localUrl(config), config.api_settings.healthcheck_enabled)
  if (api.state === 'fail') return [api]
  return [api, await look('heartbeats', () => hearing(config))]
}

/** Whoever answers there must be this service. */
export function checkApi(url: string, healthcheck = false): Promise<Finding> {
  return look(`API at ${url}`, async () => {
    const { body } = await ask(`${url}/`)
    const versions = record(body)?.versions
    if (!Array.isArray(versions) || text(record(versions[0])?.id) === undefined)
      throw new Wrong('something else answers there; see [api_settings] bind_port')
    if (!healthcheck) return 'it answers'
    const { status, body: health } = await ask(`${url}/healthcheck`)
    if (status === 200) return 'it answers and is healthy'
    const reasons = record(health)?.reasons
    throw new Wrong(
      `it answers that it is not healthy (${status}): ${JSON.stringify(reasons ?? '')}; see its log`,
    )
  })
}

async function ask(url: string): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(ANSWER_MS),
      proxy: false,
    } as BunFetchRequestInit)
    const body: unknown = await response.json().catch(() => undefined)
    return { status: response.status, body }
  } catch (error) {
    const { code } = error as { code?: unknown }
    const why = typeof code === 'string' ? code : errorText(error)
    throw new Wrong(`no answer (${why}); start octavia-lite serve`)
  }
}

function hearing({ health_manager: { bind_ip, bind_port } }: Config): string {
  const tables = ['/proc/net/udp', '/proc/net/udp6'].map((path) => readTextIfExists(path) ?? '')
  if (tables.some((table) => hasPort(table, bind_port))) return `received at UDP port ${bind_port}`
  throw new Wrong(
    `nobody listens at UDP port ${bind_port} of ${bind_ip}, so amphorae would be replaced: see the log of serve`,
  )
}

/** Of the kernel's table of sockets: local address and port are its second column, in hex. */
export function hasPort(table: string, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return table.split('\n').some((line) => line.trim().split(/\s+/)[1]?.endsWith(`:${hex}`))
}
