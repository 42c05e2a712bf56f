/** A provider driver as far as the sockets see it, and a driver agent beside the API. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { OperationSettings } from '../../../src/operation/change.ts'
import {
  createDriverAgent,
  type DriverAgentOptions,
} from '../../../src/provider/agent/driver-agent.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { silentLog } from '../../../src/system/log.ts'
import { createHarness, type Harness } from '../../api/harness.ts'

/** Sends these bytes and gives all that comes back, until the other side closes or cuts it off. */
export function exchange(path: string, bytes: Uint8Array | string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    let connected = false
    const socket = connect(path, () => {
      connected = true
      socket.write(bytes)
    })
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answer += text
    })
    socket.on('end', () => resolve(answer))
    socket.on('close', () => resolve(answer))
    socket.on('error', (error) => (connected ? resolve(answer) : reject(error)))
  })
}

// biome-ignore lint/suspicious/noExplicitAny: answers are inspected by tests
export async function ask(path: string, request: unknown): Promise<any> {
  const json = JSON.stringify(request)
  return parseAnswer(await exchange(path, `${Buffer.byteLength(json)}\n${json}`))
}

/** Checks the framing too. */
export function parseAnswer(text: string): unknown {
  const at = text.indexOf('\n')
  const body = text.slice(at + 1)
  if (at < 1 || Number(text.slice(0, at)) !== Buffer.byteLength(body))
    throw new Error(`no frame: ${JSON.stringify(text)}`)
  return JSON.parse(body)
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-provider-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function agentOptions(folder: string): DriverAgentOptions {
  return {
    status_socket_path: join(folder, 'status.sock'),
    stats_socket_path: join(folder, 'stats.sock'),
    get_socket_path: join(folder, 'get.sock'),
    status_request_timeout: 5,
    stats_request_timeout: 5,
    get_request_timeout: 5,
    status_max_processes: 50,
    stats_max_processes: 50,
    get_max_processes: 50,
    max_process_warning_percent: 0.75,
  }
}

export const PROVIDERS = {
  amphora: 'The Octavia Amphora driver.',
  octavia: 'Deprecated alias.',
  noop_driver: 'The no-op driver.',
  'noop_driver-alt': 'Another.',
}

/** An API with all providers, and the sockets over the same database. */
export async function startWithAgent(
  settings: Partial<OperationSettings> = {},
): Promise<Harness & DriverAgentOptions> {
  const harness = createHarness({ settings: { enabled_provider_drivers: PROVIDERS, ...settings } })
  const options = agentOptions(temporaryFolder())
  const deps = { clock: systemClock, store: harness.store, log: silentLog }
  const agent = createDriverAgent(deps, options)
  await agent.start()
  onTestFinished(() => agent.stop())
  return { ...harness, ...options }
}
