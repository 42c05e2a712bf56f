/** Time as a dependency, so that tests advance it instead of waiting. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, or rejects with the signal's reason when that is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `task` every `ms`, never two at a time; returns the function that ends it. */
  every(ms: number, task: () => Promise<void> | void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = (): void => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', abort, { once: true })
    }),
  every: (ms, task) => {
    let running = false
    const timer = setInterval(async () => {
      if (running) return
      running = true
      try {
        await task()
      } finally {
        running = false
      }
    }, ms)
    return () => clearInterval(timer)
  },
}

/** `YYYY-MM-DDTHH:MM:SS` in UTC without a zone: the form of every time in Octavia's API and rows. */
export function timestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 19)
}
