/**
 * `serve`, from source, which kills itself with SIGKILL at every step boundary that the engine
 * reaches, each once for each job: what it was killed at is remembered in the file named by
 * CRASH_LOG.
 */
import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync } from 'node:fs'
import { runController } from '../../src/command/serve.ts'
import type { Boundary } from '../../src/flow/step.ts'

const log = process.env.CRASH_LOG ?? ''
const seen = new Set(readFileSync(log, 'utf8').split('\n'))

function dieOnce(boundary: Boundary): void {
  const line = `${boundary.job_id} ${boundary.flow} ${boundary.step} ${boundary.at}`
  if (seen.has(line)) return
  const file = openSync(log, 'a')
  appendFileSync(file, `${line}\n`)
  fsyncSync(file)
  closeSync(file)
  process.kill(process.pid, 'SIGKILL')
}

await runController({
  configFile: process.argv[process.argv.indexOf('--config-file') + 1] ?? '',
  agentExecutable: process.env.OCTAVIA_LITE_BINARY ?? '',
  terminal: false,
  write: (line) => process.stderr.write(line),
  checkpoint: dieOnce,
})
