/** `octavia-lite serve` as a child of the demo, on a throw-away data directory. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../system/clock.ts'
import { CommandFailure } from '../io.ts'

export interface RunningServe {
  readonly url: string
  readonly pid: number
  /**
   * SIGTERM, and waits for the end; what the log says last is in the failure when it does not end
   * well.
   */
  stop(): Promise<void>
}

const START_MS = 30_000

/** `settings` is TOML without `data_dir`. Resolves when the API answers. */
export async function startServe(url: string, settings: string): Promise<RunningServe> {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-demo-'))
  const config = join(folder, 'octavia-lite.toml')
  const log = join(folder, 'serve.log')
  writeFileSync(
    config,
    `[DEFAULT]\ndata_dir = ${JSON.stringify(join(folder, 'data'))}\n\n${settings}`,
  )
  const file = Bun.file(log)
  const child = Bun.spawn([process.execPath, 'serve', '--config-file', config], {
    stdio: ['ignore', 'ignore', file],
    env: { ...process.env },
  })
  const logTail = (): string => readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n')
  const deadline = systemClock.now() + START_MS
  while (!(await answers(url))) {
    if (child.exitCode !== null || systemClock.now() > deadline) {
      child.kill('SIGKILL')
      const tail = logTail()
      rmSync(folder, { recursive: true, force: true })
      throw new CommandFailure(`serve did not start; its last lines:\n${tail}`)
    }
    await systemClock.sleep(5)
  }
  return {
    url,
    pid: child.pid,
    stop: async () => {
      child.kill('SIGTERM')
      const code = await child.exited
      const tail = code === 0 ? '' : logTail()
      rmSync(folder, { recursive: true, force: true })
      if (code !== 0) throw new CommandFailure(`serve ended with ${code}; its last lines:\n${tail}`)
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { proxy: false } as RequestInit)
    await response.arrayBuffer()
    return response.ok
  } catch {
    // Not listening yet.
    return false
  }
}
