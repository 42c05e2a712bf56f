/**
 * /healthcheck: whether this server can answer, for load balancers and monitoring. Nobody has to
 * prove who he is. Forms and texts are those of oslo.middleware and upstream's check of its
 * database.
 */
import { existsSync } from 'node:fs'
import { present } from '../system/assert.ts'
import { timestamp } from '../system/clock.ts'
import { errorText, type Log } from '../system/log.ts'
import { RoutingError } from './faults.ts'

export interface HealthcheckOptions {
  readonly enabled: boolean
  /** octavia_db_check, disable_by_file, enable_by_files. */
  readonly backends: readonly string[]
  /** Seconds a look at the database is kept. */
  readonly refresh_interval: number
  readonly detailed: boolean
  readonly disable_by_file_path: string | null
  readonly enable_by_file_paths: readonly string[]
}

interface Dependencies {
  readonly clock: { now(): number }
  readonly log: Log
  /** Rejects where the database does not answer. */
  readonly checkDatabase: () => Promise<void>
}

interface Result {
  readonly check: string
  readonly available: boolean
  readonly reason: string
  readonly details: string
}

const HTML = 'text/html'
const JSON_TYPE = 'application/json'
const TEXT = 'text/plain'

/** Throws RoutingError: 404 where it is switched off, 405 for other methods than GET and HEAD. */
export function createHealthcheck(
  deps: Dependencies,
  options: HealthcheckOptions,
): (request: Request) => Promise<Response> {
  const database = cachedDatabaseCheck(deps, options.refresh_interval * 1000)
  const checks: Readonly<Record<string, () => Promise<Result>>> = {
    octavia_db_check: database,
    disable_by_file: async () => fileCheck('disable_by_file', isNotDisabled(options)),
    enable_by_files: async () =>
      fileCheck('enable_by_files', options.enable_by_file_paths.every(existsSync)),
  }
  return async (request) => {
    if (!options.enabled) throw new RoutingError(404)
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new RoutingError(405, ['GET', 'HEAD'])
    const results = await Promise.all(options.backends.map((name) => present(checks[name], name)()))
    const healthy = results.every((result) => result.available)
    if (request.method === 'HEAD') return new Response(null, { status: healthy ? 204 : 503 })
    const type = preferredType(request.headers.get('accept'))
    return new Response(render(type, results, options.detailed, deps.clock.now()), {
      status: healthy ? 200 : 503,
      headers: { 'content-type': `${type}; charset=UTF-8` },
    })
  }
}

function isNotDisabled({ disable_by_file_path: path }: HealthcheckOptions): boolean {
  return path === null || !existsSync(path)
}

function fileCheck(check: string, available: boolean): Result {
  const reason = available ? 'OK' : 'DISABLED BY FILE'
  return { check, available, reason, details: '' }
}

/** One look at a time, and its result for a while: probes must not become load. */
function cachedDatabaseCheck(deps: Dependencies, refresh_ms: number): () => Promise<Result> {
  const check = 'octavia_db_check'
  let last: { readonly at_ms: number; readonly result: Promise<Result> } | undefined
  const look = async (): Promise<Result> => {
    try {
      await deps.checkDatabase()
      return { check, available: true, reason: 'OK', details: '' }
    } catch (error) {
      deps.log.error('the health check failed', { error })
      const reason = 'The Octavia database is unavailable.'
      return { check, available: false, reason, details: errorText(error) }
    }
  }
  return () => {
    const now = deps.clock.now()
    if (last === undefined || now >= last.at_ms + refresh_ms) last = { at_ms: now, result: look() }
    return last.result
  }
}

/** The type with the highest quality, of equals in the order of oslo.middleware. */
function preferredType(accept: string | null): string {
  let best = { type: TEXT, quality: 0 }
  for (const type of [TEXT, HTML, JSON_TYPE]) {
    const quality = qualityOf(accept ?? '*/*', type)
    if (quality > best.quality) best = { type, quality }
  }
  return best.type
}

/** Of the range that fits most exactly. */
function qualityOf(accept: string, type: string): number {
  const [major] = type.split('/')
  for (const wanted of [type, `${major}/*`, '*/*'])
    for (const range of accept.split(',')) {
      const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
      if (name !== wanted) continue
      const q = parameters.find((parameter) => parameter.startsWith('q='))
      const quality = q === undefined ? 1 : Number(q.slice(2))
      return Number.isNaN(quality) ? 1 : quality
    }
  return 0
}

function render(
  type: string,
  results: readonly Result[],
  detailed: boolean,
  now_ms: number,
): string {
  if (type === JSON_TYPE) {
    const now = timestamp(now_ms)
    const reasons = results.map(({ check, reason, details }) =>
      detailed ? { class: check, details, reason } : reason,
    )
    return JSON.stringify(detailed ? { detailed, now, reasons } : { detailed, reasons }, null, 4)
  }
  if (type === TEXT) return results.map(({ reason }) => reason).join('\n')
  const heads = detailed ? ['Kind', 'Reason', 'Details'] : ['Reason']
  const rows = results.map(({ check, reason, details }) =>
    detailed ? [check, reason, details] : [reason],
  )
  const row = (tag: string, cells: readonly string[]): string =>
    `<TR>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</TR>`
  return [
    '<HTML><HEAD><TITLE>Healthcheck Status</TITLE></HEAD><BODY>',
    `<H2>Result of ${results.length} checks:</H2>`,
    '<TABLE border="1"><TBODY>',
    row('TH', heads),
    ...rows.map((cells) => row('TD', cells)),
    '</TBODY></TABLE></BODY></HTML>',
  ].join('\n')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
