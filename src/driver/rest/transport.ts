/**
 * HTTPS to agents with mutual TLS. An agent is known by the name in its certificate, which is the
 * id of its amphora, and not by its address: another amphora that got the same address is refused.
 */
import { type AgentConfig, TLS_MIN_VERSION } from '../../contract/agent-config.ts'
import type { AgentTransport } from '../../contract/client.ts'
import { AGENT_BODY_MAX_BYTES } from '../../contract/routes.ts'
import { assertNoTransaction } from '../../system/outside.ts'

/** PEM. The key is secret. */
export interface ClientTls {
  readonly cert: string
  readonly key: string
  /** The CA of the agents' certificates; no other is trusted. */
  readonly ca: string
}

export interface TransportOptions {
  readonly port: number
  /** For a whole call: connecting, the agent's work, the body. */
  readonly timeout_ms: number
  /**
   * For a GET, which only waits for a connection: an agent which is not up yet is asked again soon.
   */
  readonly get_timeout_ms?: number
  /** The oldest TLS that is spoken; default 1.2. */
  readonly tls_protocol?: AgentConfig['agent_tls_protocol']
}

export interface AgentAddress {
  readonly amphora_id: string
  readonly ip: string
}

/** There was no answer: refused, not reachable, too late, or not the right certificate. */
export class AgentUnreachable extends Error {
  override readonly name = 'AgentUnreachable'
  /** false where the other side showed a certificate which is not that agent's. */
  readonly retryable: boolean
  constructor(why: string, retryable: boolean, cause: unknown) {
    super(why, { cause })
    this.retryable = retryable
  }
}

/** Codes which say that somebody else answers, or that our own material is wrong. */
const CERTIFICATE_CODES = [
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_HAS_EXPIRED',
]

export function createTransport(
  tls: ClientTls,
  options: TransportOptions,
  address: AgentAddress,
): AgentTransport {
  const { timeout_ms, get_timeout_ms = timeout_ms, tls_protocol = 'TLSv1.2' } = options
  const minVersion = TLS_MIN_VERSION[tls_protocol]
  const host = address.ip.includes(':') ? `[${address.ip}]` : address.ip
  return async (request) => {
    assertNoTransaction('a call to an agent')
    const limit_ms = request.method === 'GET' ? get_timeout_ms : timeout_ms
    try {
      const response = await fetch(`https://${host}:${options.port}${request.path}`, {
        method: request.method,
        headers: request.headers,
        ...(request.body === undefined ? {} : { body: request.body }),
        // Without this a proxy of the environment would be asked for the management network.
        proxy: false,
        redirect: 'manual',
        signal: AbortSignal.timeout(limit_ms),
        tls: { ...tls, minVersion, serverName: address.amphora_id },
      } as BunFetchRequestInit)
      return {
        status: response.status,
        contentType: response.headers.get('content-type') ?? '',
        etag: response.headers.get('etag')?.replace(/^(W\/)?"?|"?$/g, '') ?? undefined,
        text: await readBounded(response),
      }
    } catch (error) {
      throw unreachable(error, limit_ms)
    }
  }
}

/** The body, up to a limit: whatever answers cannot fill the controller's memory. */
async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    // Leaving the loop cancels the rest.
    if (size > AGENT_BODY_MAX_BYTES) throw new Error('the answer is too long')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function unreachable(error: unknown, timeout_ms: number): AgentUnreachable {
  const { code, name } = error as { code?: unknown; name?: unknown }
  if (name === 'TimeoutError')
    return new AgentUnreachable(`no answer within ${timeout_ms} ms`, true, error)
  if (typeof code === 'string' && CERTIFICATE_CODES.includes(code))
    return new AgentUnreachable(`its certificate is refused (${code})`, false, error)
  return new AgentUnreachable(`no connection (${String(code ?? name)})`, true, error)
}
