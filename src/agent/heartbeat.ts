/**
 * The heartbeat: every few seconds one datagram to one controller, in turn. What was counted and
 * the sequence number are kept on disk before a message leaves, so that traffic is never reported
 * twice and a receiver can tell a replayed message from that of a restarted agent.
 * Source: octavia/amphorae/backends/health_daemon/.
 */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type AgentConfig, parseController } from '../contract/agent-config.ts'
import { type HeartbeatMessage, sealHeartbeat } from '../contract/heartbeat.ts'
import {
  type Counters,
  parseStatistics,
  reportsOf,
  type StatRow,
} from '../dataplane/haproxy/statistics.ts'
import type { Clock } from '../system/clock.ts'
import { readTextIfExists, writeFileAtomic } from '../system/files.ts'
import type { Log } from '../system/log.ts'
import type { HaproxyService } from './haproxy.ts'
import { askHaproxy } from './haproxy-socket.ts'
import type { KeepalivedService } from './keepalived.ts'
import type { LvsService } from './lvs.ts'
import type { Paths } from './paths.ts'

const MESSAGE_VERSION = 3
const SHOW_STAT = 'show stat -1 -1 -1'

/** Sends a datagram; a test takes them without a network. */
export type SendDatagram = (data: Uint8Array, host: string, port: number) => Promise<void>

export interface HeartbeatDeps {
  readonly clock: Clock
  readonly log: Log
  readonly paths: Paths
  readonly haproxy: Pick<HaproxyService, 'list' | 'isRunning' | 'leaving'>
  readonly lvs: Pick<LvsService, 'rows'>
  readonly keepalived: Pick<KeepalivedService, 'isConfigured' | 'isRunning'>
  readonly send: SendDatagram
}

type HeartbeatConfig = Pick<
  AgentConfig,
  'amphora_id' | 'controller_ip_port_list' | 'heartbeat_key' | 'heartbeat_interval_s'
>

interface Kept {
  /** Of the next message. */
  readonly seq: number
  readonly counters: Counters
}

export class Heartbeat {
  readonly #deps: HeartbeatDeps
  #config: HeartbeatConfig
  /** What the file holds, and what it would hold if the disk were not full. */
  #kept: Kept | undefined
  #next = 0
  #end: (() => void) | undefined

  constructor(deps: HeartbeatDeps, config: HeartbeatConfig) {
    this.#deps = deps
    this.#config = config
  }

  /** Sends one at once and then one per interval. */
  start(): void {
    this.#end = this.#deps.clock.every(this.#config.heartbeat_interval_s * 1000, () => this.beat())
    void this.beat()
  }

  stop(): void {
    this.#end?.()
    this.#end = undefined
  }

  /** Takes over key, interval and controllers, and lets the controllers know. */
  reconfigure(config: HeartbeatConfig): void {
    this.stop()
    this.#config = config
    this.start()
  }

  /**
   * Never throws: a heartbeat that cannot be sent is missed by the controller, which is its
   * meaning.
   */
  async beat(): Promise<void> {
    const { log, send, keepalived } = this.#deps
    try {
      // Silence lets the controller replace an amphora which can neither take nor give the VIPs.
      if (keepalived.isConfigured() && !keepalived.isRunning()) {
        log.error('keepalived is configured and does not run, so no heartbeat is sent')
        return
      }
      const message = await this.#message()
      const list = this.#config.controller_ip_port_list
      const controller = parseController(list[this.#next % Math.max(list.length, 1)] ?? '')
      this.#next = (this.#next + 1) % Math.max(list.length, 1)
      if (controller === undefined) {
        log.error('no controller address is known, so no heartbeat is sent')
        return
      }
      const datagram = sealHeartbeat(message, this.#config.heartbeat_key)
      await send(datagram, controller.host, controller.port)
    } catch (error) {
      log.warning('a heartbeat was not sent', { error })
    }
  }

  async #message(): Promise<HeartbeatMessage> {
    const { paths, log, clock } = this.#deps
    const kept = this.#kept ?? readKept(paths, clock.now())
    const { rows, complete } = await this.#rows()
    const reports = reportsOf(rows, kept.counters)
    const { listeners, pools } = reports
    // Who could not be asked goes on from what it had counted.
    const counters = complete ? reports.counters : { ...kept.counters, ...reports.counters }
    this.#kept = { seq: kept.seq + 1, counters }
    try {
      writeFileAtomic(paths.counters, JSON.stringify(this.#kept))
    } catch (error) {
      // A full disk is no reason to be taken for dead.
      log.warning('counters could not be kept', { error })
    }
    const { amphora_id } = this.#config
    return { id: amphora_id, seq: kept.seq, listeners, pools, ver: MESSAGE_VERSION }
  }

  /** Without listeners in it the message tells the controller that they do not work. */
  async #rows(): Promise<{ readonly rows: readonly StatRow[]; readonly complete: boolean }> {
    const { haproxy, lvs, paths, log } = this.#deps
    const asking = [
      ...haproxy
        .list()
        .filter((id) => haproxy.isRunning(id))
        .map(async (id) => {
          const all = parseStatistics(await askHaproxy(paths.statsSocket(id), SHOW_STAT))
          const leaving = haproxy.leaving(id)
          return all.filter(({ pxname, svname }) => !leaving.has(`${pxname}/${svname}`))
        }),
      lvs.rows(),
    ]
    const answers = await Promise.allSettled(asking)
    for (const answer of answers)
      if (answer.status === 'rejected')
        log.warning('listeners cannot be asked for statistics', { error: answer.reason })
    return {
      rows: answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])),
      complete: answers.every((answer) => answer.status === 'fulfilled'),
    }
  }
}

/**
 * Without a file the seq is the time: above all that were sent before, since messages are seconds
 * apart, and far above those which a receiver takes for a restarted agent's.
 */
function readKept(paths: Paths, now_ms: number): Kept {
  const seq = Math.floor(now_ms / 1000)
  try {
    const kept = JSON.parse(readTextIfExists(paths.counters) ?? '{}') as Partial<Kept>
    return { seq: kept.seq ?? seq, counters: kept.counters ?? {} }
  } catch {
    // A damaged file costs one wrong delta at most; upstream, too, starts over then.
    return { seq, counters: {} }
  }
}

export interface DatagramSender {
  readonly send: SendDatagram
  close(): void
}

/** One socket per address family, made when first needed. Names are resolved at each use. */
export function createDatagramSender(log: Log): DatagramSender {
  const sockets = new Map<4 | 6, Socket>()
  const socketFor = (family: 4 | 6): Socket => {
    const open = sockets.get(family)
    if (open !== undefined) return open
    const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4' })
    // Without a listener an unreachable controller would end the process.
    socket.on('error', (error) => log.debug('datagram socket', { error }))
    socket.unref()
    sockets.set(family, socket)
    return socket
  }
  return {
    send: async (data, host, port) => {
      const literal = isIP(host)
      const { address, family } =
        literal === 0 ? await lookup(host) : { address: host, family: literal }
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      socketFor(family === 6 ? 6 : 4).send(data, port, address, (error) =>
        error === null || error === undefined ? resolve() : reject(error),
      )
      await promise
    },
    close: () => {
      for (const socket of sockets.values()) socket.close()
    },
  }
}
