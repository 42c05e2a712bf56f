/**
 * Log lines on their way to log servers: the first of a list that takes them, the others when it
 * does not. What always holds: nobody who logs waits, and no more than `log_queue_size` lines do.
 */
import type { Clock } from '../system/clock.ts'
import { errorText, type Log } from '../system/log.ts'

const BATCH_MAX = 256

export interface LogTarget {
  readonly host: string
  readonly port: number
}

/** A way to a log server; throws when the lines cannot be handed over. */
export interface LogSink {
  send(lines: readonly string[]): Promise<void>
  close(): void
}

export interface ForwarderOptions {
  readonly targets: readonly LogTarget[]
  readonly log_queue_size: number
  readonly log_retry_count: number
  readonly log_retry_interval_s: number
}

export interface ForwarderDeps {
  readonly clock: Clock
  readonly log: Log
  readonly open: (target: LogTarget) => LogSink
}

export class LogForwarder {
  readonly #deps: ForwarderDeps
  readonly #options: ForwarderOptions
  #queue: string[] = []
  #dropped = 0
  #draining = false
  #stopped = false
  #sink: { readonly at: number; readonly sink: LogSink } | undefined

  constructor(deps: ForwarderDeps, options: ForwarderOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Lines which no log server got. */
  get dropped(): number {
    return this.#dropped
  }

  push(line: string): void {
    if (this.#stopped || this.#queue.length >= this.#options.log_queue_size) {
      this.#dropped++
      return
    }
    this.#queue.push(line)
    if (!this.#draining) void this.#drain()
  }

  stop(): void {
    this.#stopped = true
    this.#close()
  }

  async #drain(): Promise<void> {
    const { clock, log } = this.#deps
    const { log_retry_count, log_retry_interval_s } = this.#options
    this.#draining = true
    let failures = 0
    while (this.#queue.length > 0 && !this.#stopped) {
      const batch = this.#queue.slice(0, BATCH_MAX)
      const failure = await this.#sendToAny(batch)
      if (failure === undefined) {
        this.#queue.splice(0, batch.length)
        failures = 0
        continue
      }
      failures++
      if (failures > log_retry_count) {
        this.#dropped += this.#queue.length
        this.#queue = []
        log.warning('log lines were dropped: no log server takes them', {
          dropped: this.#dropped,
          reason: failure,
        })
        break
      }
      await clock.sleep(log_retry_interval_s * 1000)
    }
    this.#draining = false
  }

  /** Why nobody takes them; undefined when somebody did. */
  async #sendToAny(lines: readonly string[]): Promise<string | undefined> {
    const { targets } = this.#options
    let failure = 'there is no log server'
    const first = this.#sink?.at ?? 0
    for (let n = 0; n < targets.length; n++) {
      const at = (first + n) % targets.length
      const target = targets[at]
      if (target === undefined) continue
      try {
        if (this.#sink?.at !== at) {
          this.#close()
          this.#sink = { at, sink: this.#deps.open(target) }
        }
        await this.#sink.sink.send(lines)
        return undefined
      } catch (error) {
        failure = `${target.host}: ${errorText(error)}`
        this.#close()
      }
    }
    return failure
  }

  #close(): void {
    this.#sink?.sink.close()
    this.#sink = undefined
  }
}
