/** The executable under measurement: `serve` on a folder of its own, in a process of its own. */
import { Database } from 'bun:sqlite'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/system/clock.ts'
import { Api } from './api.ts'

export const BINARY =
  process.env.OCTAVIA_LITE_BINARY ?? join(import.meta.dir, '../../dist/octavia-lite')

/** Not the defaults, so that an octavia-lite which runs on the machine is not in the way. */
export const API_PORT = 19_876
export const HEARTBEAT_PORT = 15_555
export const HEARTBEAT_KEY = 'a key for the benchmark'
const PATIENCE_MS = 30_000

export interface Serve {
  readonly api: Api
  readonly pid: number
  /** From the start of the process to the first answer of the API. */
  readonly started_ms: number
  readonly folder: string
  /** One number from the database, as any reader may look at it. */
  count(sql: string): number
  stop(): Promise<void>
}

export interface Place {
  /** With the noop drivers, or in the local cloud. */
  readonly drivers: 'noop' | 'local'
  readonly folder: string
  remove(): void
}

const NOOP = `
[health_manager]
bind_ip = "127.0.0.1"
bind_port = ${HEARTBEAT_PORT}
heartbeat_key = "${HEARTBEAT_KEY}"

[controller_worker]
network_driver = "network_noop_driver"
compute_driver = "compute_noop_driver"
amphora_driver = "amphora_noop_driver"
`

export function createPlace(drivers: Place['drivers']): Place {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-bench-'))
  const head = `[DEFAULT]
data_dir = ${JSON.stringify(join(folder, 'data'))}

[api_settings]
bind_port = ${API_PORT}
auth_strategy = "noauth"
`
  writeFileSync(join(folder, 'octavia-lite.toml'), drivers === 'noop' ? head + NOOP : head)
  return { drivers, folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Starts it and waits for the API; throws with the log when that does not come. */
export async function startServe({ folder }: Place): Promise<Serve> {
  const log = join(folder, 'serve.log')
  const url = `http://127.0.0.1:${API_PORT}`
  if (await answers(url)) throw new Error(`something else answers at ${url} already`)
  const started = performance.now()
  const child = Bun.spawn([BINARY, 'serve', '--config-file', join(folder, 'octavia-lite.toml')], {
    stdio: ['ignore', Bun.file(log), Bun.file(log)],
    // As a service gets it: nothing of the shell's changes what is measured.
    env: { PATH: process.env.PATH ?? '' },
  })
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() - started > PATIENCE_MS)
      throw new Error(`serve does not answer:\n${readFileSync(log, 'utf8')}`)
    await systemClock.sleep(1)
  }
  const started_ms = performance.now() - started
  const database = new Database(join(folder, 'data/octavia-lite.db'), { readonly: true })
  return {
    api: new Api(url),
    pid: child.pid,
    started_ms,
    folder,
    count: (sql) => Object.values(database.query(sql).get() as Record<string, number>)[0] ?? 0,
    stop: async () => {
      database.close()
      child.kill('SIGTERM')
      await child.exited
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { keepalive: false, proxy: false } as RequestInit)
    await response.arrayBuffer()
    return response.ok
  } catch {
    // Nobody listens there yet.
    return false
  }
}
