/** HTTP to a service of the cloud, JSON mostly: bounded in time, size and attempts. */
import type { Clock } from '../../system/clock.ts'
import { errorText } from '../../system/log.ts'
import { assertNoTransaction } from '../../system/outside.ts'
import { DriverError } from '../error.ts'

export interface TransportOptions {
  readonly tls: SessionTls
  /** For one attempt: connecting, the service's work, the body. */
  readonly timeout_ms: number
  /** Attempts after the first, where no answer came. */
  readonly connect_retries: number
}

export interface SessionTls {
  /** PEM; null trusts what the system trusts. */
  readonly ca: string | null
  readonly cert: string | null
  /** Secret. */
  readonly key: string | null
  /** Whether certificates are not checked. */
  readonly insecure: boolean
}

export interface ServiceRequest {
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent instead, as it is. */
  readonly content?: Content
  /** What form the answer should have; JSON if absent. */
  readonly accept?: string
  /** Whether twice is the same as once; if absent, all but POST is. */
  readonly repeatable?: boolean
}

export interface Content {
  readonly type: string
  readonly data: string | Blob | Uint8Array<ArrayBuffer> | Streamed
}

/** What is too large for memory; opened for each attempt. */
export interface Streamed {
  readonly size: number
  open(): ReadableStream<Uint8Array>
}

export interface ServiceResponse {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  /** Parsed JSON; undefined for anything else. */
  readonly body: unknown
}

const JSON_TYPE = 'application/json'
const BODY_BYTES_MAX = 16 << 20
const FIRST_PAUSE_MS = 500
const PAUSE_MS_MAX = 4_000

/**
 * Attempts that got no answer are repeated after growing pauses: all of a request that may be
 * repeated, else those that never left. Throws DriverError.
 */
export async function call(
  clock: Clock,
  options: TransportOptions,
  url: string,
  request: ServiceRequest,
): Promise<ServiceResponse> {
  assertNoTransaction('a call of an OpenStack service')
  for (let attempt = 0; ; attempt++)
    try {
      return await send(options, url, request)
    } catch (cause) {
      const retryable = isRetryable(cause)
      const again = retryable && (isRepeatable(request) || wasNeverSent(cause))
      if (again && attempt < options.connect_retries) {
        await clock.sleep(pauseAfter(attempt))
        continue
      }
      throw new DriverError({
        operation: 'call',
        subject: URL.canParse(url) ? new URL(url).origin : 'a service',
        reason: reasonOf(cause, options.timeout_ms),
        retryable,
        outage: retryable,
      })
    }
}

export function isRepeatable({ method, repeatable }: ServiceRequest): boolean {
  return repeatable ?? method !== 'POST'
}

/** Milliseconds after the attempt of this number, the first being 0. */
export function pauseAfter(attempt: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** attempt, PAUSE_MS_MAX)
}

async function send(
  { tls, timeout_ms }: TransportOptions,
  url: string,
  { method, headers = {}, body, content = jsonOf(body), accept = JSON_TYPE }: ServiceRequest,
): Promise<ServiceResponse> {
  const response = await fetch(url, {
    method,
    headers: {
      accept,
      'user-agent': 'octavia-lite',
      ...(content === undefined ? {} : { 'content-type': content.type }),
      // Not every server of Python takes a body in chunks of unknown number.
      ...(isStreamed(content?.data) ? { 'content-length': String(content.data.size) } : {}),
      ...headers,
    },
    ...(content === undefined ? {} : { body: bodyOf(content.data) }),
    // Services of the cloud are near; a proxy of the environment would see every token.
    proxy: false,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeout_ms),
    tls: {
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(tls.cert === null ? {} : { cert: tls.cert }),
      ...(tls.key === null ? {} : { key: tls.key }),
      rejectUnauthorized: !tls.insecure,
    },
  } as BunFetchRequestInit)
  const bytes = await readBounded(response)
  return { status: response.status, headers: response.headers, bytes, body: parseBody(bytes) }
}

function jsonOf(body: unknown): Content | undefined {
  return body === undefined ? undefined : { type: JSON_TYPE, data: JSON.stringify(body) }
}

function isStreamed(data: Content['data'] | undefined): data is Streamed {
  return typeof data === 'object' && 'open' in data
}

function bodyOf(data: Content['data']) {
  return isStreamed(data) ? data.open() : data
}

async function readBounded(response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    // Leaving the loop cancels the rest.
    if (size > BODY_BYTES_MAX) throw new Error('the answer is too long')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** Proxies on the way answer in HTML; the status says enough. */
function parseBody(bytes: Buffer): unknown {
  try {
    return bytes.length === 0 ? undefined : JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

/** A certificate that is wrong now is wrong in a second too. */
function isRetryable(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return !(typeof code === 'string' && /CERT|SIGNATURE|ERR_INVALID/.test(code))
}

/** No connection, no request: what it asks for cannot have happened. */
function wasNeverSent(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return (
    typeof code === 'string' &&
    /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code)
  )
}

function reasonOf(error: unknown, timeout_ms: number): string {
  const { code, name } = error as { code?: unknown; name?: unknown }
  if (name === 'TimeoutError') return `no answer within ${timeout_ms} ms`
  return typeof code === 'string' ? `no connection (${code})` : errorText(error)
}
