/**
 * The logs of haproxy on their way out of the amphora, in place of upstream's rsyslog: datagrams
 * are received in the namespace of haproxy and sent on from the management network. Nothing is kept
 * here: without a log server haproxy is told not to log.
 * Source: octavia/common/jinja/logging/.
 */
import { type AgentConfig, parseController } from '../contract/agent-config.ts'
import type { Clock } from '../system/clock.ts'
import type { Log } from '../system/log.ts'
import { inNetworkNamespace } from '../system/namespace.ts'
import type { SendDatagram } from './heartbeat.ts'
import { LogForwarder } from './log-forwarder.ts'
import { kindOf, type LogKind, parseLogLine } from './log-line.ts'
import { datagramSink, streamSink } from './log-sink.ts'
import { NAMESPACE_PATH } from './paths.ts'

const HOST = '127.0.0.1'
const PORT = 9514

export interface LogServiceDeps {
  readonly clock: Clock
  readonly log: Log
  readonly hostname: string
  readonly send: SendDatagram
  /** Where haproxy is; another place for tests. */
  readonly inside?: <T>(open: () => Promise<T>) => Promise<T>
}

export class LogService {
  readonly #deps: LogServiceDeps
  readonly #config: AgentConfig
  readonly #forwarders: Partial<Readonly<Record<LogKind, LogForwarder>>>
  #socket: { close(): void } | undefined

  constructor(deps: LogServiceDeps, config: AgentConfig) {
    this.#deps = deps
    this.#config = config
    const { tenant_log_targets, admin_log_targets } = config
    this.#forwarders = {
      ...this.#forwarder('tenant', tenant_log_targets),
      ...this.#forwarder('admin', admin_log_targets),
    }
  }

  /** Where haproxy is to send its lines; null where nobody wants them. */
  get address(): string | null {
    return this.#socket === undefined ? null : `${HOST}:${PORT}`
  }

  async start(): Promise<void> {
    if (Object.keys(this.#forwarders).length === 0) return
    const { inside = inNamespaceOfHaproxy } = this.#deps
    const data = (_: unknown, datagram: Buffer): void => this.#take(datagram.toString('utf8'))
    try {
      this.#socket = await inside(() =>
        Bun.udpSocket({
          hostname: HOST,
          port: PORT,
          // Without it an error of the socket would be the end of the agent.
          socket: { data, error: (error) => this.#deps.log.debug('log socket', { error }) },
        }),
      )
    } catch (error) {
      this.#deps.log.error('the logs of haproxy cannot be received', { error })
    }
  }

  stop(): void {
    this.#socket?.close()
    this.#socket = undefined
    for (const forwarder of Object.values(this.#forwarders)) forwarder.stop()
  }

  #take(text: string): void {
    const line = parseLogLine(text, this.#deps.hostname)
    const kind = line === undefined ? undefined : kindOf(line, this.#config)
    if (line !== undefined && kind !== undefined) this.#forwarders[kind]?.push(line.text)
  }

  #forwarder(kind: LogKind, list: readonly string[]): Partial<Record<LogKind, LogForwarder>> {
    const targets = list.flatMap((text) => parseController(text) ?? [])
    if (targets.length === 0) return {}
    const { clock, log, send } = this.#deps
    const { log_protocol } = this.#config
    const open = (target: (typeof targets)[number]) =>
      log_protocol === 'TCP' ? streamSink(target) : datagramSink(send, target)
    return { [kind]: new LogForwarder({ clock, log, open }, { ...this.#config, targets }) }
  }
}

async function inNamespaceOfHaproxy<T>(open: () => Promise<T>): Promise<T> {
  return await inNetworkNamespace(NAMESPACE_PATH, open)
}
