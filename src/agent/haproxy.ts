/**
 * The haproxy processes of this amphora, one per load balancer: their configuration, what they
 * should do, and that they do it. Nothing is remembered but on disk, so that a new agent goes on
 * where the last one stopped. What always holds: `haproxy.cfg` has passed haproxy's own check, and
 * a haproxy which serves is not replaced by one that does not.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { LB_ACTIONS, type LbAction } from '../contract/routes.ts'
import { isInternalProxy } from '../dataplane/haproxy/internal.ts'
import {
  isBusy,
  isDone,
  namesIn,
  planRuntime,
  type RuntimeCommand,
  serversOf,
  settledState,
} from '../dataplane/haproxy/runtime.ts'
import {
  makeFolder,
  readTextIfExists,
  removeDurably,
  renameDurably,
  SECRET_MODE,
  writeFileAtomic,
} from '../system/files.ts'
import { errorText, type Log } from '../system/log.ts'
import { type CertificateStore, withoutMissing } from './certificates.ts'
import {
  askWorker,
  checkConfig,
  type HaproxyProcessDeps,
  outputOf,
  reload,
  runningPid,
  start,
  stop,
} from './haproxy-process.ts'
import { askHaproxy } from './haproxy-socket.ts'
import { Restarts } from './restarts.ts'
import { createSerial, type Serial } from './serial.ts'

const WAITING_MAX = 64

export type Outcome =
  | { readonly ok: true; readonly details: string }
  | { readonly ok: false; readonly details: string }

export interface HaproxyDeps extends HaproxyProcessDeps {
  readonly log: Log
  readonly certificates: Pick<CertificateStore, 'prune'>
  /** Tells the neighbours where the VIPs are; never throws. */
  readonly announce: () => Promise<void>
}

export class HaproxyService {
  readonly #deps: HaproxyDeps
  readonly #serial: Serial = createSerial(WAITING_MAX)
  /** Load balancers whose haproxy died or did not start, until it does. */
  readonly #restarts = new Restarts()

  /** Removed members, `backend/server`, that still have connections; unknown at the start. */
  readonly #leaving = new Map<string, ReadonlySet<string>>()

  constructor(deps: HaproxyDeps) {
    this.#deps = deps
  }

  /** Ids of the load balancers with a configuration, sorted. */
  list(): readonly string[] {
    const { paths } = this.#deps
    if (!existsSync(paths.base)) return []
    return readdirSync(paths.base)
      .filter((name) => existsSync(paths.haproxyConfig(name)))
      .sort()
  }

  read(lb_id: string): string | undefined {
    return readTextIfExists(this.#deps.paths.haproxyConfig(lb_id))
  }

  isRunning(lb_id: string): boolean {
    return runningPid(this.#deps.paths, lb_id) !== undefined
  }

  /** Servers which are still in the process and in no configuration. */
  leaving(lb_id: string): ReadonlySet<string> {
    return this.#leaving.get(lb_id) ?? new Set()
  }

  /** Checks and keeps a configuration; the running haproxy sees it at the next start or reload. */
  upload(lb_id: string, text: string): Promise<Outcome> {
    return this.#serial(async () => {
      const { paths } = this.#deps
      makeFolder(paths.folder(lb_id), 0o700)
      writeFileAtomic(paths.newConfig(lb_id), text, SECRET_MODE)
      const result = await checkConfig(this.#deps, paths.newConfig(lb_id))
      if (result.code !== 0) {
        renameSync(paths.newConfig(lb_id), paths.failedConfig(lb_id))
        return { ok: false, details: outputOf(result) }
      }
      // The controller takes the answer for a promise, and the power may be cut right after it.
      renameDurably(paths.newConfig(lb_id), paths.haproxyConfig(lb_id))
      return { ok: true, details: outputOf(result) }
    })
  }

  control(lb_id: string, action: LbAction): Promise<Outcome> {
    return this.#serial(async () => {
      const { paths } = this.#deps
      if (action === 'stop') {
        writeFileAtomic(paths.stopped(lb_id), '')
        return this.#stop(lb_id)
      }
      removeDurably(paths.stopped(lb_id))
      const outcome = await this.#serve(lb_id, action)
      if (!outcome.ok) return outcome
      this.#restarts.forget(lb_id)
      // Only now: what was uploaded before a configuration is not in use yet.
      this.#deps.certificates.prune(lb_id, this.read(lb_id) ?? '')
      return outcome
    })
  }

  /** Stops haproxy and removes all that belongs to the load balancer. */
  remove(lb_id: string): Promise<Outcome> {
    return this.#serial(async () => {
      const { paths } = this.#deps
      const stopped = await this.#stop(lb_id)
      if (!stopped.ok) return stopped
      this.#restarts.forget(lb_id)
      this.#leaving.delete(lb_id)
      rmSync(paths.statsSocket(lb_id), { force: true })
      rmSync(paths.certificates(lb_id), { force: true, recursive: true })
      removeDurably(paths.folder(lb_id))
      return { ok: true, details: '' }
    })
  }

  /**
   * A certificate was written or deleted: an unchanged configuration must be read again all the
   * same.
   */
  noteCertificates(lb_id: string): void {
    const { paths } = this.#deps
    makeFolder(paths.folder(lb_id), 0o700)
    writeFileAtomic(paths.certificatesChanged(lb_id), '')
  }

  /** Starts whatever should run and does not; called at the agent's start and then every second. */
  async supervise(): Promise<void> {
    const { paths, clock, log } = this.#deps
    for (const lb_id of this.list()) {
      await this.#serial(() => this.#letGo(lb_id))
      if (this.isRunning(lb_id) || existsSync(paths.stopped(lb_id))) continue
      if (!this.#restarts.isDue(lb_id, clock.now())) continue
      await this.#serial(async () => {
        if (this.isRunning(lb_id) || !existsSync(paths.haproxyConfig(lb_id))) return
        this.#cutMissing(lb_id)
        const outcome = await this.#serve(lb_id, 'start')
        this.#restarts.note(lb_id, clock.now())
        if (outcome.ok) log.info('haproxy was started', { lb_id })
        else log.error('haproxy cannot be started', { lb_id, output: outcome.details.slice(-500) })
      })
    }
  }

  /** After a boot there are no certificates; the controller sends them with the whole again. */
  #cutMissing(lb_id: string): void {
    const { paths, log } = this.#deps
    const folder = paths.certificates(lb_id)
    const left = withoutMissing(this.read(lb_id) ?? '', folder, (name) =>
      readTextIfExists(join(folder, name)),
    )
    if (left === undefined) return
    writeFileAtomic(paths.haproxyConfig(lb_id), left, SECRET_MODE)
    log.warning('listeners are left out until their certificates are here', { lb_id })
  }

  async #serve(lb_id: string, action: 'start' | 'reload'): Promise<Outcome> {
    const { paths } = this.#deps
    const pid = runningPid(paths, lb_id)
    if (pid !== undefined && (action === 'start' || !this.#changed(lb_id)))
      return { ok: true, details: `Listener ${lb_id} ${action}ed` }
    if (pid === undefined) {
      const result = await start(this.#deps, lb_id)
      if (result.code !== 0) return { ok: false, details: outputOf(result) }
    } else if (await this.#changeAtRuntime(lb_id)) {
      this.#remember(lb_id)
      return { ok: true, details: `Listener ${lb_id} reloaded` }
    } else {
      await this.#saveServersState(lb_id)
      const fault = await reload(this.#deps, lb_id, pid)
      if (fault !== undefined) return this.#putBack(lb_id, fault)
    }
    this.#remember(lb_id)
    this.#leaving.delete(lb_id)
    if (pid === undefined) await this.#deps.announce()
    const started = `Configuration file is valid\nhaproxy daemon for ${lb_id} started`
    return { ok: true, details: pid === undefined ? started : `Listener ${lb_id} reloaded` }
  }

  /**
   * Whether the running process now does what the new configuration says. Half a change is made
   * whole by the reload that follows.
   */
  async #changeAtRuntime(lb_id: string): Promise<boolean> {
    const { paths, log } = this.#deps
    const running = readTextIfExists(paths.goodConfig(lb_id))
    if (running === undefined || existsSync(paths.certificatesChanged(lb_id))) return false
    const plan = planRuntime(running, this.read(lb_id) ?? '')
    if (plan.kind === 'reload') return false
    const leaving = new Set(this.leaving(lb_id))
    for (const { text, expects } of plan.commands) {
      const answer = await this.#tell(lb_id, text)
      if (isDone(answer)) continue
      if (expects === 'done' || !isBusy(answer)) {
        log.info('haproxy does not take this at runtime', { lb_id, command: text, answer })
        return false
      }
      leaving.add(text.slice('del server '.length))
    }
    this.#leaving.set(lb_id, leaving)
    return true
  }

  /** Its answer, trimmed; why there is none, otherwise. */
  async #tell(lb_id: string, command: RuntimeCommand['text']): Promise<string> {
    try {
      return (await askWorker(this.#deps.paths, lb_id, command)).trim()
    } catch (error) {
      return errorText(error)
    }
  }

  /** Removes servers whose last connection has ended meanwhile. */
  async #letGo(lb_id: string): Promise<void> {
    if (!this.isRunning(lb_id)) return
    const leaving = this.#leaving.get(lb_id) ?? (await this.#findLeaving(lb_id))
    if (leaving.size === 0 && this.#leaving.has(lb_id)) return
    const stay = new Set<string>()
    for (const server of leaving)
      if (isBusy(await this.#tell(lb_id, `del server ${server}`))) stay.add(server)
    this.#leaving.set(lb_id, stay)
  }

  /** What an agent before this one has removed and left; pools have a colon in their names. */
  async #findLeaving(lb_id: string): Promise<ReadonlySet<string>> {
    const known = serversOf(this.read(lb_id) ?? '')
    const state = await this.#tell(lb_id, 'show servers state')
    return new Set(namesIn(state).filter((name) => name.includes(':') && !known.has(name)))
  }

  #changed(lb_id: string): boolean {
    const { paths } = this.#deps
    if (existsSync(paths.certificatesChanged(lb_id))) return true
    return readTextIfExists(paths.goodConfig(lb_id)) !== this.read(lb_id)
  }

  #remember(lb_id: string): void {
    const { paths } = this.#deps
    copyFileSync(paths.haproxyConfig(lb_id), paths.goodConfig(lb_id))
    chmodSync(paths.goodConfig(lb_id), SECRET_MODE)
    rmSync(paths.certificatesChanged(lb_id), { force: true })
  }

  /** The old worker still serves; it must also be what a restart would bring back. */
  #putBack(lb_id: string, why: string): Outcome {
    const { paths } = this.#deps
    renameSync(paths.haproxyConfig(lb_id), paths.failedConfig(lb_id))
    if (existsSync(paths.goodConfig(lb_id)))
      writeFileAtomic(
        paths.haproxyConfig(lb_id),
        readFileSync(paths.goodConfig(lb_id)),
        SECRET_MODE,
      )
    return {
      ok: false,
      details: `haproxy could not take over the new configuration: ${why}; the last one goes on serving`,
    }
  }

  async #stop(lb_id: string): Promise<Outcome> {
    const gone = await stop(this.#deps, lb_id)
    if (!gone) return { ok: false, details: 'haproxy does not end' }
    return { ok: true, details: `Listener ${lb_id} stopped` }
  }

  /**
   * So that members known to be down do not get traffic from the new worker until its first check.
   */
  async #saveServersState(lb_id: string): Promise<void> {
    const { paths, log } = this.#deps
    try {
      const state = await askHaproxy(paths.statsSocket(lb_id), 'show servers state')
      const settled = settledState(state, readTextIfExists(paths.goodConfig(lb_id)) ?? '')
      writeFileAtomic(paths.serversState(lb_id), `${settled.trimEnd()}\n`)
    } catch (error) {
      log.warning('the state of the members could not be saved', { lb_id, error })
    }
  }
}

export function isLbAction(text: string): text is LbAction {
  return (LB_ACTIONS as readonly string[]).includes(text)
}

/** The ETag of a file's content: hex MD5, as the controller expects it. Not for security. */
export function md5(content: string | Uint8Array): string {
  return createHash('md5').update(content).digest('hex')
}

/**
 * The frontends of a configuration with their modes, as GET listeners and GET details list them.
 */
export function frontendsOf(
  text: string,
): readonly { readonly id: string; readonly mode: string }[] {
  const sections = text.split(/^(?=frontend )/m).filter((part) => part.startsWith('frontend '))
  return sections
    .map((section) => ({
      id: /^frontend (\S+)/.exec(section)?.[1] ?? '',
      mode: /^\s+mode (\S+)/m.exec(section)?.[1]?.toUpperCase() ?? '',
    }))
    .filter(({ id }) => !isInternalProxy(id))
}
