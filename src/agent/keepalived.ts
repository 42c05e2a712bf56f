/**
 * The keepalived of a pair, which decides by VRRP which of both amphorae has the VIPs. It is
 * supervised as haproxy is; what it was told is on disk, so a new agent goes on where the last one
 * stopped.
 */
import { existsSync, rmSync } from 'node:fs'
import type { LbAction } from '../contract/routes.ts'
import type { Clock } from '../system/clock.ts'
import {
  makeFolder,
  readTextIfExists,
  removeDurably,
  renameDurably,
  SECRET_MODE,
  writeFileAtomic,
} from '../system/files.ts'
import type { Log } from '../system/log.ts'
import type { Processes } from '../system/process.ts'
import { type Daemon, daemonPid, signalDaemon, stopDaemon } from './daemon.ts'
import type { HaproxyService, Outcome } from './haproxy.ts'
import { outputOf } from './haproxy-process.ts'
import { askHaproxy } from './haproxy-socket.ts'
import { NAMESPACE_PATH, type Paths } from './paths.ts'
import { Restarts } from './restarts.ts'
import { createSerial, type Serial } from './serial.ts'
import { renderCheckScript, renderHaproxyCheck, renderLvsCheck } from './vrrp-check.ts'

const WAITING_MAX = 64
const SCRIPT_MODE = 0o755
const CHECK_TIMEOUT_MS = 30_000
/** It writes its pid file after the program that started it has ended. */
const START_TIMEOUT_MS = 5_000
const POLL_MS = 20
/** As long as upstream's check waits for haproxy's answer. */
const ANSWER_TIMEOUT_MS = 5_000
/** The configuration is right, but a script in it is not as keepalived would like it. */
const SCRIPT_COMPLAINT = 6
/** LOG_LOCAL1, where upstream's amphorae have what is not about connections. */
const LOG_FACILITY = 1
const NAME = 'keepalived'

export interface KeepalivedDeps {
  readonly processes: Processes
  readonly clock: Clock
  readonly log: Log
  readonly paths: Paths
  readonly haproxy: Pick<HaproxyService, 'list' | 'isRunning'>
}

export class KeepalivedService {
  readonly #deps: KeepalivedDeps
  readonly #daemon: Daemon
  readonly #serial: Serial = createSerial(WAITING_MAX)
  readonly #restarts = new Restarts()

  constructor(deps: KeepalivedDeps) {
    const { paths } = deps
    this.#deps = deps
    this.#daemon = { pidFiles: [paths.vrrpPid], argument: paths.vrrpConfig }
  }

  /** Whether this amphora is one of a pair, as far as it has been told. */
  isConfigured(): boolean {
    return existsSync(this.#deps.paths.vrrpConfig)
  }

  isRunning(): boolean {
    return daemonPid(this.#daemon) !== undefined
  }

  /** Checks and keeps a configuration; the running keepalived sees it at the next start. */
  upload(text: string): Promise<Outcome> {
    return this.#serial(async () => {
      const { paths, processes } = this.#deps
      this.#writeScripts()
      writeFileAtomic(paths.newVrrpConfig, text, SECRET_MODE)
      const test = ['keepalived', '--config-test', `--use-file=${paths.newVrrpConfig}`]
      const argv = ['nsenter', `--net=${NAMESPACE_PATH}`, ...test]
      const result = await processes.run(argv, { timeoutMs: CHECK_TIMEOUT_MS })
      if (result.code !== 0 && result.code !== SCRIPT_COMPLAINT) {
        rmSync(paths.newVrrpConfig, { force: true })
        return { ok: false, details: outputOf(result) }
      }
      renameDurably(paths.newVrrpConfig, paths.vrrpConfig)
      return { ok: true, details: outputOf(result) }
    })
  }

  control(action: LbAction): Promise<Outcome> {
    return this.#serial(async () => {
      const { paths, clock } = this.#deps
      this.#restarts.forget(NAME)
      if (action === 'stop') {
        writeFileAtomic(paths.vrrpStopped, '')
        const gone = await stopDaemon(clock, this.#daemon)
        return { ok: gone, details: gone ? 'keepalived stopped' : 'keepalived does not end' }
      }
      if (!this.isConfigured()) return { ok: false, details: 'there is no VRRP configuration' }
      removeDurably(paths.vrrpStopped)
      const outcome = this.isRunning() ? this.#reload() : await this.#start()
      return outcome.ok ? { ok: true, details: `keepalived ${action}ed` } : outcome
    })
  }

  /** Starts it where it should run and does not; notes for its check whether haproxy answers. */
  async supervise(): Promise<void> {
    const { paths, clock, log } = this.#deps
    if (!this.isConfigured()) return
    await this.#askHaproxy()
    const idle = this.isRunning() || existsSync(paths.vrrpStopped)
    if (idle || !this.#restarts.isDue(NAME, clock.now())) return
    await this.#serial(async () => {
      if (this.isRunning() || !this.isConfigured()) return
      const outcome = await this.#start()
      this.#restarts.note(NAME, clock.now())
      if (outcome.ok) log.info('keepalived was started')
      else log.error('keepalived cannot be started', { output: outcome.details.slice(-500) })
    })
  }

  async #start(): Promise<Outcome> {
    const { paths, processes, clock } = this.#deps
    this.#writeScripts()
    // Of an earlier life: keepalived would take whoever has that number now for itself.
    for (const file of [paths.vrrpPid, paths.vrrpChildPid]) rmSync(file, { force: true })
    const argv = [
      ...['nsenter', `--net=${NAMESPACE_PATH}`, 'keepalived', '--vrrp'],
      ...[`--log-facility=${LOG_FACILITY}`, '--use-file', paths.vrrpConfig],
      ...['--pid', paths.vrrpPid, '--vrrp_pid', paths.vrrpChildPid],
    ]
    const read = readTextIfExists(paths.vrrpConfig) ?? ''
    const result = await processes.run(argv, { timeoutMs: CHECK_TIMEOUT_MS, cwd: '/' })
    if (result.code !== 0) return { ok: false, details: outputOf(result) }
    const deadline = clock.now() + START_TIMEOUT_MS
    while (!this.isRunning()) {
      if (clock.now() >= deadline) return { ok: false, details: 'keepalived ended at its start' }
      await clock.sleep(POLL_MS)
    }
    writeFileAtomic(paths.goodVrrpConfig, read, SECRET_MODE)
    return { ok: true, details: '' }
  }

  /** What it has read already it does not read again: a reload announces the VIPs anew. */
  #reload(): Outcome {
    const { paths } = this.#deps
    const text = readTextIfExists(paths.vrrpConfig) ?? ''
    if (readTextIfExists(paths.goodVrrpConfig) === text) return { ok: true, details: '' }
    if (!signalDaemon(this.#daemon, 'SIGHUP')) return { ok: false, details: 'keepalived has ended' }
    writeFileAtomic(paths.goodVrrpConfig, text, SECRET_MODE)
    return { ok: true, details: '' }
  }

  #writeScripts(): void {
    const { paths } = this.#deps
    makeFolder(paths.vrrpChecks)
    const { base } = paths
    writeScript(paths.vrrpCheck('haproxy_check_script.sh'), renderHaproxyCheck(base))
    writeScript(paths.vrrpCheck('lvs_udp_check.sh'), renderLvsCheck(base))
    writeScript(paths.vrrpCheckScript, renderCheckScript(paths.vrrpChecks))
  }

  async #askHaproxy(): Promise<void> {
    const { haproxy, paths } = this.#deps
    for (const lb_id of haproxy.list().filter((id) => haproxy.isRunning(id))) {
      const answers = await isAnswering(paths.statsSocket(lb_id))
      const file = paths.unresponsive(lb_id)
      if (answers) rmSync(file, { force: true })
      else if (existsSync(paths.folder(lb_id))) writeFileAtomic(file, '')
    }
  }
}

function writeScript(path: string, text: string): void {
  if (readTextIfExists(path) !== text) writeFileAtomic(path, text, SCRIPT_MODE)
}

async function isAnswering(socket: string): Promise<boolean> {
  try {
    return (await askHaproxy(socket, 'show info', ANSWER_TIMEOUT_MS)) !== ''
  } catch {
    return false
  }
}
