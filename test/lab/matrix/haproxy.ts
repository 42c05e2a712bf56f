/** The haproxy of a row's amphora, from outside. */
import { readFileSync } from 'node:fs'
import { runOk, systemProcesses } from '../../../src/system/process.ts'
import type { Run } from './row.ts'

/** The folder below /proc of its master. */
export async function haproxyOf(run: Run): Promise<string> {
  const { stdout } = await runOk(systemProcesses, ['pgrep', '-of', run.load_balancer_id])
  return `/proc/${stdout.trim()}`
}

const LISTENING = '0A'

/** The inodes of sockets that listen at a port, in both families. */
export async function socketsAt(run: Run, port: number): Promise<readonly string[]> {
  const haproxy = await haproxyOf(run)
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`${haproxy}/net/${name}`, 'utf8').trim().split('\n').slice(1),
  )
  return rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/)
    return state === LISTENING && local.endsWith(ending) ? [inode] : []
  })
}
