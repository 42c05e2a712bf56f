/**
 * Running programs step by step, and saying so: plain lines, with times on a terminal. Everything
 * in this folder is plain Node.js without packages, because it runs before any is installed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The folder of the checkout. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Something is missing or failed; the message is all there is to say. */
export class Failure extends Error {}

export const terminal = process.stdout.isTTY === true

const began = Date.now()

/** Times are for who waits; in a log they only make two runs differ. */
export function say(text) {
  const time = `${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  `
  process.stdout.write(`${terminal ? time : ''}${text}\n`)
}

/** For programs whose output ends in a log: no colours, no cursor movements. */
function plainEnvironment() {
  const { FORCE_COLOR: _, ...env } = process.env
  return terminal ? process.env : { ...env, NO_COLOR: '1' }
}

/**
 * Runs to the end with our terminal; resolves to the exit code, 128 + signal when killed. With a
 * `timeoutMs` the whole process group is killed after it.
 */
export function run(argv, { env = {}, timeoutMs, cwd = ROOT } = {}) {
  const [program, ...args] = argv
  return new Promise((resolve, reject) => {
    const limited = timeoutMs !== undefined
    const child = spawn(program, args, {
      cwd,
      stdio: [limited ? 'ignore' : 'inherit', 'inherit', 'inherit'],
      env: { ...plainEnvironment(), ...env },
      detached: limited,
    })
    const kill = () => signalGroup(child.pid, 'SIGKILL')
    const timer = limited
      ? setTimeout(() => {
          say(`${program} did not end within ${timeoutMs / 1000} s and is killed`)
          kill()
        }, timeoutMs)
      : undefined
    // A group of its own does not get the terminal's Ctrl-C.
    const forward = () => limited && signalGroup(child.pid, 'SIGINT')
    process.on('SIGINT', forward)
    process.on('SIGTERM', forward)
    const done = (settle) => {
      clearTimeout(timer)
      process.off('SIGINT', forward)
      process.off('SIGTERM', forward)
      settle()
    }
    child.on('error', (cause) =>
      done(() => reject(new Failure(`${program} cannot be started: ${cause.message}`))),
    )
    child.on('exit', (code, signal) => done(() => resolve(code ?? (signal === null ? 1 : 128))))
  })
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    // Gone already.
    if (error.code !== 'ESRCH') throw error
  }
}

/** Runs to the end and returns standard output; undefined when it fails or does not exist. */
export function capture(argv, options = {}) {
  const [program, ...args] = argv
  const { status, stdout } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', ...options })
  return status === 0 ? stdout.trim() : undefined
}

/** Runs and throws a Failure unless it succeeds. */
export async function runOk(argv, what, options) {
  const code = await run(argv, options)
  if (code !== 0) throw new Failure(`${what} failed (exit code ${code})`)
}
