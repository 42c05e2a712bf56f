/**
 * The driver agent: three sockets by which provider drivers tell statuses and statistics and ask
 * for objects. Source: octavia/cmd/driver_agent.py.
 */
import type { Json } from '../../model/field.ts'
import type { Store } from '../../store/store.ts'
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { answerQuestion } from './question.ts'
import { type AgentSocket, openAgentSocket } from './socket.ts'
import { keepStatistics } from './statistics.ts'
import { keepStatuses } from './status.ts'

export interface DriverAgentDeps {
  readonly clock: Clock
  readonly store: Store
  readonly log: Log
}

/** Seconds and counts, under the names of upstream's options. */
export interface DriverAgentOptions {
  readonly status_socket_path: string
  readonly stats_socket_path: string
  readonly get_socket_path: string
  readonly status_request_timeout: number
  readonly stats_request_timeout: number
  readonly get_request_timeout: number
  readonly status_max_processes: number
  readonly stats_max_processes: number
  readonly get_max_processes: number
  readonly max_process_warning_percent: number
}

export interface DriverAgent {
  /** Throws DriverAgentError. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** A socket cannot be opened; `message` is one sentence for the operator. */
export class DriverAgentError extends Error {
  override readonly name = 'DriverAgentError'
}

export function createDriverAgent(deps: DriverAgentDeps, options: DriverAgentOptions): DriverAgent {
  const answers = {
    status: (report: Json) => keepStatuses(deps, report),
    stats: (report: Json) => keepStatistics(deps.store, report),
    get: (question: Json) => answerQuestion(deps.store.read, question),
  } as const
  const open: AgentSocket[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(open.splice(0).map((socket) => socket.stop()))
  }
  return {
    start: async () => {
      for (const name of ['status', 'stats', 'get'] as const) {
        const path = options[`${name}_socket_path`]
        try {
          const limits = {
            path,
            request_timeout_ms: options[`${name}_request_timeout`] * 1000,
            concurrency: options[`${name}_max_processes`],
            warning_share: options.max_process_warning_percent,
          }
          open.push(await openAgentSocket(deps, limits, answers[name]))
        } catch (cause) {
          await stop()
          throw new DriverAgentError(
            `the socket ${path} cannot be opened; set [driver_agent] ${name}_socket_path`,
            { cause },
          )
        }
      }
    },
    stop,
  }
}
