/**
 * The UDP and SCTP listeners of this amphora, a keepalived each, which keeps the kernel's IPVS as
 * its configuration says. As with haproxy nothing is remembered but on disk. What always holds:
 * a `conf` has passed keepalived's own check; `conf.good` is what it has read.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LbAction } from '../contract/routes.ts'
import type { StatRow } from '../dataplane/haproxy/statistics.ts'
import { keysOf } from '../dataplane/keepalived/ipvs.ts'
import { type LvsConfig, parseLvs } from '../dataplane/keepalived/lvs-reading.ts'
import { removal, renderLvsRules } from '../dataplane/keepalived/lvs-rules.ts'
import { lvsRows } from '../dataplane/keepalived/lvs-statistics.ts'
import {
  makeFolder,
  readTextIfExists,
  removeDurably,
  renameDurably,
  writeFileAtomic,
} from '../system/files.ts'
import { errorText, type Log } from '../system/log.ts'
import { CommandError } from '../system/process.ts'
import type { Outcome } from './haproxy.ts'
import { applyRules, clearServices, NoIpvs, prepareIpvs, readIpvs } from './lvs-kernel.ts'
import {
  findFault,
  type LvsProcessDeps,
  lvsPid,
  reloadLvs,
  startLvs,
  stopLvs,
} from './lvs-process.ts'
import { LVS_PREFIX } from './paths.ts'
import { Restarts } from './restarts.ts'
import { createSerial, type Serial } from './serial.ts'

const WAITING_MAX = 64
const PID_FILES = ['pid', 'vrrp.pid', 'check.pid'] as const
/**
 * Names by which configurations call checks, upstream's `udp_check.sh` too, and what they are of
 * `octavia-lite agent check`.
 */
const CHECK_PROGRAMS = { 'udp_check.sh': 'udp "$@"', 'amphora-health-checker': '"$@"' } as const

export interface LvsDeps extends LvsProcessDeps {
  readonly log: Log
  /** This very program with its command `agent`. */
  readonly self: readonly string[]
  /** Tells the neighbours where the VIPs are; never throws. */
  readonly announce: () => Promise<void>
}

export class LvsService {
  readonly #deps: LvsDeps
  readonly #serial: Serial = createSerial(WAITING_MAX)
  readonly #restarts = new Restarts()

  constructor(deps: LvsDeps) {
    this.#deps = deps
  }

  /** Ids of the listeners with a configuration, sorted. */
  list(): readonly string[] {
    const { lvs } = this.#deps.paths
    if (!existsSync(lvs)) return []
    return readdirSync(lvs)
      .flatMap((name) => new RegExp(`^${LVS_PREFIX}(.+)\\.conf$`).exec(name)?.[1] ?? [])
      .sort()
  }

  read(listener_id: string): string | undefined {
    return readTextIfExists(this.#deps.paths.lvsFile(listener_id, 'conf'))
  }

  isRunning(listener_id: string): boolean {
    return lvsPid(this.#deps.paths, listener_id) !== undefined
  }

  /** As upstream says: ACTIVE, ERROR where keepalived should run, OFFLINE where it need not. */
  statusOf(listener_id: string): string {
    if (this.isRunning(listener_id)) return 'ACTIVE'
    return this.#needed(listener_id) === undefined ? 'OFFLINE' : 'ERROR'
  }

  /** Checks and keeps a configuration; keepalived reads it at the next start or reload. */
  upload(listener_id: string, text: string): Promise<Outcome> {
    return this.#serial(() =>
      this.#explained(async () => {
        const { paths, processes } = this.#deps
        // Before it is kept: what can never be served would only be reported as missing for ever.
        await prepareIpvs(processes)
        this.#writeChecks()
        const file = paths.lvsFile(listener_id, 'conf.new')
        writeFileAtomic(file, text)
        const fault = await findFault(this.#deps, file)
        if (fault !== undefined) {
          rmSync(file)
          return { ok: false, details: fault }
        }
        renameDurably(file, paths.lvsFile(listener_id, 'conf'))
        return { ok: true, details: '' }
      }),
    )
  }

  control(listener_id: string, action: LbAction): Promise<Outcome> {
    return this.#serial(() =>
      this.#explained(async () => {
        const { paths } = this.#deps
        const stopped = paths.lvsFile(listener_id, 'stopped')
        if (action === 'stop') {
          writeFileAtomic(stopped, '')
          return this.#stop(listener_id)
        }
        removeDurably(stopped)
        const outcome = await this.#serve(listener_id)
        if (outcome.ok) this.#restarts.forget(listener_id)
        return outcome
      }),
    )
  }

  /** Stops keepalived and removes all that belongs to the listener. */
  remove(listener_id: string): Promise<Outcome> {
    return this.#serial(() =>
      this.#explained(async () => {
        const { paths, processes } = this.#deps
        const outcome = await this.#stop(listener_id)
        if (!outcome.ok) return outcome
        this.#restarts.forget(listener_id)
        const mine = (name: string): boolean => name.startsWith(`${LVS_PREFIX}${listener_id}.`)
        // Without it the listener is gone for every later start.
        removeDurably(paths.lvsFile(listener_id, 'conf'))
        for (const name of readdirSync(paths.lvs).filter(mine)) rmSync(join(paths.lvs, name))
        if (this.list().length === 0) await applyRules(processes, removal())
        else await this.#applyRules()
        return outcome
      }),
    )
  }

  /** Starts whatever should run and does not; called at the agent's start and then every second. */
  async supervise(): Promise<void> {
    const { clock, log } = this.#deps
    const dead = (id: string) => !this.isRunning(id) && this.#needed(id) !== undefined
    for (const listener_id of this.list()) {
      if (!dead(listener_id) || !this.#restarts.isDue(listener_id, clock.now())) continue
      await this.#serial(async () => {
        if (!dead(listener_id)) return
        const outcome = await this.#explained(() => this.#serve(listener_id))
        this.#restarts.note(listener_id, clock.now())
        if (outcome.ok) log.info('keepalived was started', { listener_id })
        else log.error('keepalived cannot be started', { listener_id, why: outcome.details })
      })
    }
  }

  /** What the listeners report; those whose keepalived does not run are left out. */
  async rows(): Promise<readonly StatRow[]> {
    const { paths, processes } = this.#deps
    const ids = this.list().filter((id) => this.isRunning(id) || this.#needed(id) === undefined)
    const pid = ids.map((id) => lvsPid(paths, id)).find((each) => each !== undefined)
    const nothing = { table: new Map(), counters: new Map() }
    const kernel = pid === undefined ? nothing : await readIpvs(processes, pid)
    return ids.flatMap((listener_id) => {
      const text = this.read(listener_id) ?? ''
      const restarting = this.#good(listener_id) !== text
      return lvsRows({ listener_id, config: parseLvs(text), restarting }, kernel)
    })
  }

  /** The configuration that keepalived must serve; undefined where it has nothing to do. */
  #needed(listener_id: string): LvsConfig | undefined {
    if (existsSync(this.#deps.paths.lvsFile(listener_id, 'stopped'))) return undefined
    const config = parseLvs(this.read(listener_id) ?? '')
    return config.services.length === 0 ? undefined : config
  }

  #good(listener_id: string): string | undefined {
    return readTextIfExists(this.#deps.paths.lvsFile(listener_id, 'conf.good'))
  }

  async #serve(listener_id: string): Promise<Outcome> {
    const { paths, announce } = this.#deps
    const text = this.read(listener_id) ?? ''
    const config = this.#needed(listener_id)
    const running = this.isRunning(listener_id)
    if (running && this.#good(listener_id) === text) return done(listener_id)
    await this.#applyRules()
    if (config === undefined) {
      const stopped = await this.#stop(listener_id)
      if (!stopped.ok) return stopped
    } else if (!running || !(await reloadLvs(this.#deps, listener_id, config))) {
      const failed = await this.#restart(listener_id, config)
      if (failed !== undefined) return { ok: false, details: failed }
    }
    writeFileAtomic(paths.lvsFile(listener_id, 'conf.good'), text)
    await announce()
    return done(listener_id)
  }

  async #restart(listener_id: string, config: LvsConfig): Promise<string | undefined> {
    const { processes } = this.#deps
    await prepareIpvs(processes)
    const stopped = await this.#stop(listener_id)
    if (!stopped.ok) return stopped.details
    await clearServices(processes, keysOf(config))
    this.#writeChecks()
    return startLvs(this.#deps, listener_id, config)
  }

  async #stop(listener_id: string): Promise<Outcome> {
    const gone = await stopLvs(this.#deps, listener_id)
    if (!gone) return { ok: false, details: 'keepalived does not end' }
    // Those of one that was killed stay, and VRRP's check would take the listener for dead.
    const { paths } = this.#deps
    for (const ending of PID_FILES) rmSync(paths.lvsFile(listener_id, ending), { force: true })
    return { ok: true, details: `keepalivedlvs listener ${listener_id} stopped` }
  }

  async #applyRules(): Promise<void> {
    const configs = this.list().map((id) => parseLvs(this.read(id) ?? ''))
    await applyRules(this.#deps.processes, renderLvsRules(configs))
  }

  /** Anew at every start: this program may be another one at another place. */
  #writeChecks(): void {
    const { paths, self } = this.#deps
    makeFolder(paths.lvsChecks)
    for (const [name, args] of Object.entries(CHECK_PROGRAMS)) {
      const command = self.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
      const script = `#!/bin/sh\nexec ${command} check ${args}\n`
      writeFileAtomic(join(paths.lvsChecks, name), script, 0o755)
    }
  }

  /** What this machine cannot do is an answer, with the words of the program that could not. */
  async #explained(task: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await task()
    } catch (error) {
      if (!(error instanceof NoIpvs || error instanceof CommandError)) throw error
      return { ok: false, details: errorText(error) }
    }
  }
}

function done(listener_id: string): Outcome {
  return { ok: true, details: `keepalivedlvs listener ${listener_id} reloaded` }
}
