/**
 * The controller's half of the REST API, derived from routes.ts: which request to send, and what an
 * answer means. The connection itself is passed in, so that nothing here does I/O.
 */
import {
  fillPath,
  ROUTES,
  type Route,
  type RouteAnswer,
  type RouteBody,
  type RouteName,
  type RouteParameters,
} from './routes.ts'

export interface AgentRequest {
  readonly method: Route['method']
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

export interface AgentResponse {
  readonly status: number
  readonly contentType: string
  readonly etag: string | undefined
  readonly text: string
}

/** Sends a request to one agent; throws when there is no answer. */
export type AgentTransport = (request: AgentRequest) => Promise<AgentResponse>

/** The agent answered, but not with what was asked for. */
export class AgentRefusal extends Error {
  override readonly name = 'AgentRefusal'
  readonly status: number
  /** The agent is not ready, or something is wrong in it that may pass. */
  readonly retryable: boolean
  constructor(status: number, why: string, retryable: boolean) {
    super(`the agent answered ${status}: ${why}`)
    this.status = status
    this.retryable = retryable
  }
}

export interface Reply<T> {
  readonly value: T
  readonly status: number
  readonly etag: string | undefined
}

export interface AgentClient {
  call<N extends RouteName>(
    name: N,
    parameters: RouteParameters<N>,
    ...body: RouteBody<N> extends undefined ? [] : [RouteBody<N>]
  ): Promise<Reply<RouteAnswer<N>>>
}

export function createAgentClient(send: AgentTransport): AgentClient {
  return {
    async call(name, parameters, ...[body]) {
      const route: Route = ROUTES[name]
      const response = await send({
        method: route.method,
        path: fillPath(route.path, parameters as Readonly<Record<string, string>>),
        headers: headersOf(route),
        body: route.body === 'json' ? JSON.stringify(body) : (body as string | undefined),
      })
      if (response.status < 200 || response.status > 299) throw refusalOf(response)
      return {
        value: (route.answer === 'text' ? response.text : json(response)) as RouteAnswer<
          typeof name
        >,
        status: response.status,
        etag: response.etag,
      }
    },
  }
}

/** What a GET answers; undefined where there is no such thing. */
export async function unlessAbsent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof AgentRefusal && error.status === 404 && !error.retryable) return undefined
    throw error
  }
}

function headersOf(route: Route): Readonly<Record<string, string>> {
  const agent = { 'user-agent': 'Octavia HaProxy Rest Client/1.0 (octavia-lite)' }
  if (route.body === 'none') return agent
  const type = route.body === 'json' ? 'application/json' : 'text/plain; charset=utf-8'
  return { ...agent, 'content-type': type }
}

function json(response: AgentResponse): unknown {
  try {
    return JSON.parse(response.text) as unknown
  } catch {
    // Not the agent, or one that is broken: nothing a repetition would change.
    throw new AgentRefusal(response.status, 'the body is not JSON', false)
  }
}

/**
 * What a refusal means. A 404 which is not JSON comes from an agent that has not set up its routes,
 * and one that has not found a network card may find it a moment later: both are worth a
 * repetition, as upstream decides (octavia/amphorae/drivers/haproxy/rest_api_driver.py). So is 503;
 * a 500 is a refusal.
 */
function refusalOf(response: AgentResponse): AgentRefusal {
  const isJson = response.contentType.includes('application/json')
  const why = isJson ? reasonIn(response.text) : response.text.slice(0, 200)
  const unready =
    response.status === 404 && (!isJson || why.includes('No suitable network interface found'))
  return new AgentRefusal(response.status, why, unready || response.status === 503)
}

/** haproxy says where and why for each listener that it refuses. */
const REASON_MAX_CHARS = 20_000

function reasonIn(text: string): string {
  try {
    const parsed = JSON.parse(text) as Readonly<Record<string, unknown>> | null
    const parts = [parsed?.message, parsed?.details, parsed?.error]
    const said = parts.filter((part) => typeof part === 'string').join(': ')
    return said.slice(0, REASON_MAX_CHARS)
  } catch {
    return text.slice(0, 200)
  }
}
