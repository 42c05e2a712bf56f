/** Serving the API on a TCP port. */

import type { App } from './app.ts'
import { faultBody } from './faults.ts'

/**
 * Beyond this Bun ends the connection; below it and over the limit of requests the answer is a 413
 * fault.
 */
const BODY_BYTES_MAX = 4 << 20
/** Seconds; Bun's maximum, since it also cuts answers that take longer to make. */
const IDLE_TIMEOUT_S = 255

export interface Listening {
  readonly url: URL
  readonly port: number
  /** Takes no new connections and waits for the requests under way. */
  stop(): Promise<void>
}

/** Throws an error with `code` EADDRINUSE when the port is taken. */
export function listenApi(
  app: App,
  address: { readonly hostname: string; readonly port: number },
): Listening {
  const server = Bun.serve({
    ...address,
    idleTimeout: IDLE_TIMEOUT_S,
    maxRequestBodySize: BODY_BYTES_MAX,
    fetch: (request, server) =>
      app.handle(request, () => server.requestIP(request)?.address ?? null),
    error: () =>
      new Response(faultBody(500, 'Something unknown went wrong'), {
        status: 500,
        headers: { 'content-type': 'application/json' },
      }),
  })
  return { url: server.url, port: server.port ?? address.port, stop: () => server.stop() }
}
