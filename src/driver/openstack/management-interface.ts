/**
 * The controller's own way onto the management network, looked after as long as it runs: the port
 * in Neutron now and then, the interface on this host often. What Neutron said last is kept on
 * disk, so that heartbeats get in again after a reboot while Neutron is still down.
 */

import { rmSync } from 'node:fs'
import type { Clock } from '../../system/clock.ts'
import { readTextIfExists, writeFileAtomic } from '../../system/files.ts'
import type { Log } from '../../system/log.ts'
import type { ManagementHost } from './management-host.ts'
import {
  ensureManagementPort,
  type ManagementPortWish,
  type PluggedPort,
} from './management-port.ts'
import type { Neutron } from './neutron.ts'

export interface ManagementInterfaceDeps {
  readonly neutron: Neutron
  readonly host: ManagementHost
  readonly clock: Clock
  readonly log: Log
  /** Where the port is remembered. */
  readonly file: string
}

const HOST_INTERVAL_MS = 3_000
const PORT_INTERVAL_MS = 6_000
/** Looks after which an interface that no agent of Neutron plugs in is made anew. */
const LOOSE_LOOKS_MAX = 4

export class ManagementInterface {
  readonly #deps: ManagementInterfaceDeps
  readonly #wish: ManagementPortWish
  #port: PluggedPort | undefined
  #asked_ms = Number.NEGATIVE_INFINITY
  #busy: Promise<void> | undefined
  #problem = ''
  /** Looks in a row at which it was not on the network. */
  #loose = 0
  #end: (() => void) | undefined

  constructor(deps: ManagementInterfaceDeps, wish: ManagementPortWish) {
    this.#deps = deps
    this.#wish = wish
    this.#port = readPort(deps.file)
  }

  /**
   * Makes port and interface. Throws a DriverError; that of Neutron only where no port is known
   * from before.
   */
  async start(): Promise<void> {
    const { clock, log, host } = this.#deps
    try {
      await this.#askPort()
    } catch (error) {
      if (this.#port === undefined) throw error
      log.warning('Neutron cannot be asked about the management port', { error })
    }
    if (this.#port !== undefined) await host.apply(this.#port.plugging, this.#port)
    this.#end = clock.every(HOST_INTERVAL_MS, () => this.heal())
  }

  /** The first address, without prefix length. */
  get address(): string | undefined {
    return this.#port?.addresses[0]?.split('/')[0]
  }

  /** Once at a time; what is wrong is said once. */
  heal(): Promise<void> {
    this.#busy ??= this.#heal().finally(() => {
      this.#busy = undefined
    })
    return this.#busy
  }

  /** The interface stays: amphorae go on sending, and the next start takes it over. */
  async stop(): Promise<void> {
    this.#end?.()
    await this.#busy
  }

  async #heal(): Promise<void> {
    const { clock, log, host } = this.#deps
    try {
      if (clock.now() - this.#asked_ms >= PORT_INTERVAL_MS) await this.#askPort()
      const port = this.#port
      if (port === undefined) return
      const { done, plugged } = await host.apply(port.plugging, port)
      if (done.length > 0) log.warning('the management interface was repaired', { done })
      this.#problem = ''
      this.#loose = plugged ? 0 : this.#loose + 1
      if (this.#loose < LOOSE_LOOKS_MAX) return
      // An agent looks at a card when it is new, and not again.
      log.warning('no agent of Neutron plugs the management interface in; it is made anew')
      await host.remove(port.plugging, port.id)
      this.#loose = 0
    } catch (error) {
      const problem = String(error)
      if (problem !== this.#problem)
        log.error('the management interface cannot be looked after', { error })
      this.#problem = problem
    }
  }

  async #askPort(): Promise<void> {
    const { neutron, clock, file, log } = this.#deps
    // Before the answer: a Neutron that hangs must not be asked each time.
    this.#asked_ms = clock.now()
    const before = this.address
    const port = await ensureManagementPort(neutron, this.#wish, this.#port ?? null)
    if (JSON.stringify(port) !== JSON.stringify(this.#port))
      writeFileAtomic(file, `${JSON.stringify(port)}\n`)
    this.#port = port
    if (before !== undefined && before !== this.address)
      log.error('the management interface has another address, and amphorae send to the old one', {
        before,
        now: this.address,
        hint: 'tell each amphora: octavia-lite amphora configure ID',
      })
  }
}

/**
 * Takes the interface away for good. Returns the id of its port, which is whoever's has made it, or
 * undefined where none is known.
 */
export async function removeManagementInterface(
  deps: Pick<ManagementInterfaceDeps, 'host' | 'file'>,
): Promise<string | undefined> {
  const port = readPort(deps.file)
  if (port !== undefined) await deps.host.remove(port.plugging, port.id)
  rmSync(deps.file, { force: true })
  return port?.id
}

/** A file that cannot be read is as good as none: Neutron knows. */
function readPort(file: string): PluggedPort | undefined {
  try {
    const text = readTextIfExists(file)
    return text === undefined ? undefined : (JSON.parse(text) as PluggedPort)
  } catch {
    return undefined
  }
}
