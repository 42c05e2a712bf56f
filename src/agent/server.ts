/**
 * The HTTPS server: mutual TLS, routing by contract/routes.ts, one place for errors. It is Bun's
 * own server: sixteen routes need no framework, and the agent has to stay small.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type AgentConfig, TLS_MIN_VERSION } from '../contract/agent-config.ts'
import { AGENT_BODY_MAX_BYTES, matchPath, ROUTES, type RouteName } from '../contract/routes.ts'
import { SECRET_MODE, writeFileAtomic } from '../system/files.ts'
import type { Log } from '../system/log.ts'
import { type Answer, frameworkError, Refused, responseOf } from './answer.ts'
import { type Handlers, InvalidCertificate } from './endpoints.ts'
import { Busy } from './serial.ts'

/** Bun's maximum; longer settings are cut to it. */
const IDLE_TIMEOUT_MAX_S = 255

export interface AgentServer {
  readonly port: number
  /** Writes the agent's certificate and serves with it, new connections at once. */
  replaceCertificate(pem: string): void
  stop(): Promise<void>
}

export function startServer(
  deps: { readonly log: Log },
  config: AgentConfig,
  handlers: Handlers,
): AgentServer {
  const { log } = deps
  const handle = (request: Request): Promise<Response> => handleRequest(log, handlers, request)
  let server = listen(config, config.bind_port, handle)
  // With port 0 the system chooses; a successor must listen on the same one.
  const port = server.port ?? config.bind_port
  return {
    port,
    replaceCertificate(pem) {
      checkCertificate(pem)
      writeFileAtomic(config.agent_server_cert, pem, SECRET_MODE)
      const old = server
      // A running server cannot change its certificate; a second one on the same port can have
      // another.
      server = listen(config, port, handle)
      // Not awaited: this very request is one of those that `stop` waits for.
      old.stop().catch((error: unknown) => log.warning('the old server did not stop', { error }))
      log.info('the server certificate was replaced')
    },
    stop: () => server.stop(true),
  }
}

function listen(config: AgentConfig, port: number, fetch: (request: Request) => Promise<Response>) {
  const pem = readFileSync(config.agent_server_cert, 'utf8')
  const tls = {
    key: pem,
    cert: pem,
    ca: readFileSync(config.agent_server_ca, 'utf8'),
    requestCert: true,
    rejectUnauthorized: true,
    // Bun has it; its types do not.
    minVersion: TLS_MIN_VERSION[config.agent_tls_protocol],
  }
  return Bun.serve({
    hostname: config.bind_host,
    port,
    reusePort: true,
    idleTimeout: Math.min(config.agent_request_read_timeout_s, IDLE_TIMEOUT_MAX_S),
    maxRequestBodySize: AGENT_BODY_MAX_BYTES,
    development: false,
    tls,
    fetch,
  })
}

function checkCertificate(pem: string): void {
  try {
    const certificate = new X509Certificate(pem)
    if (certificate.checkPrivateKey(createPrivateKey(pem))) return
  } catch (cause) {
    throw new InvalidCertificate('it needs a certificate and a private key, both PEM', { cause })
  }
  throw new InvalidCertificate('the private key is that of another certificate')
}

/** Every error becomes an answer here; only what nobody foresaw is logged. */
export async function handleRequest(
  log: Log,
  handlers: Handlers,
  request: Request,
): Promise<Response> {
  // Upstream's driver asks for the version at `//`, which its own agent takes for `/`.
  const pathname = new URL(request.url).pathname.replace(/\/{2,}/g, '/')
  try {
    return responseOf(await dispatch(handlers, request, pathname))
  } catch (error) {
    if (error instanceof Refused) return responseOf(error.answer)
    if (error instanceof Busy) return responseOf(frameworkError(503, error.message))
    log.error('a request failed', { method: request.method, path: pathname, error })
    return responseOf(frameworkError(500, 'Internal Server Error'))
  }
}

async function dispatch(handlers: Handlers, request: Request, path: string): Promise<Answer> {
  let pathKnown = false
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const parameters = matchPath(ROUTES[name].path, path)
    if (parameters === undefined) continue
    pathKnown = true
    if (ROUTES[name].method !== request.method) continue
    // The table pairs each handler with the parameters of its own path; the compiler cannot follow
    // here.
    const handler = handlers[name] as (parameters: unknown, body: string) => Promise<Answer>
    return handler(parameters, await request.text())
  }
  return pathKnown ? frameworkError(405, 'Method Not Allowed') : frameworkError(404, 'Not Found')
}
