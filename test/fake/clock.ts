/** Time which tests move. Nothing here waits for real time. */
import type { Clock } from '../../src/system/clock.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export interface FakeClock extends Clock {
  /** Moves time and wakes whoever slept that long, in order, letting each go on before the next. */
  advance(ms: number): Promise<void>
  /** Time passes and nobody is woken, as on a machine that sleeps. */
  sleepThrough(ms: number): void
  /** Resolves as soon as at least `count` sleeps are under way. */
  sleepers(count?: number): Promise<void>
  /** The lengths of all sleeps so far. */
  readonly slept: readonly number[]
}

export const FAKE_START_MS = Date.UTC(2026, 0, 2, 3, 4, 5)

/** `jump`: a sleep takes no time at all, the clock jumps to its end. */
export function createFakeClock(options: { readonly jump?: boolean } = {}): FakeClock {
  let now = FAKE_START_MS
  const sleeping = new Set<Sleeper>()
  const slept: number[] = []
  const watchers = new Set<() => void>()

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      slept.push(ms)
      const abort = (): void => {
        sleeping.delete(sleeper)
        reject(signal?.reason)
      }
      const sleeper: Sleeper = {
        at: now + ms,
        wake: () => {
          sleeping.delete(sleeper)
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      sleeping.add(sleeper)
      for (const watcher of watchers) watcher()
      if (options.jump !== true) return
      setImmediate(() => {
        if (!sleeping.has(sleeper)) return
        now = Math.max(now, sleeper.at)
        sleeper.wake()
      })
    })

  const advance = async (ms: number): Promise<void> => {
    const end = now + ms
    for (;;) {
      const next = [...sleeping].filter((s) => s.at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      now = Math.max(now, next.at)
      next.wake()
      await settled()
    }
    now = end
    await settled()
  }

  return {
    now: () => now,
    sleep,
    every: (ms, task) => {
      const ended = new AbortController()
      const loop = async (): Promise<void> => {
        while (!ended.signal.aborted) {
          await sleep(ms, ended.signal).catch(() => undefined)
          if (!ended.signal.aborted) await task()
        }
      }
      void loop()
      return () => ended.abort()
    },
    advance,
    sleepThrough: (ms) => {
      now += ms
    },
    sleepers: (count = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (sleeping.size < count) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),
    slept,
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}
