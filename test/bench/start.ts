/** How fast `serve` is there, and what it weighs when nobody asks it for anything. */
import { systemClock } from '../../src/system/clock.ts'
import { memoryOf } from './processes.ts'
import type { Scenario } from './scenario.ts'
import { createPlace, startServe } from './serve.ts'

/**
 * Long enough for the garbage of the start to be collected, and for a few rounds of every timer.
 */
const IDLE_MS = 10_000

export const start: Scenario = {
  name: 'start',
  run: async ({ quick }) => {
    const first: number[] = []
    const again: number[] = []
    for (let i = 0; i < (quick ? 2 : 5); i++) {
      const place = createPlace('noop')
      try {
        for (const samples of [first, again]) {
          const serve = await startServe(place)
          samples.push(serve.started_ms)
          await serve.stop()
        }
      } finally {
        place.remove()
      }
    }
    const place = createPlace('noop')
    const serve = await startServe(place)
    try {
      await systemClock.sleep(quick ? 1000 : IDLE_MS)
      const { pss_mb, pss_anonymous_mb } = memoryOf([serve.pid])
      return [
        { name: 'start until the API answers', unit: 'ms', samples: again, goal: { below: 150 } },
        {
          name: 'first start, in an empty folder',
          unit: 'ms',
          samples: first,
          goal: { below: 150 },
          note: 'keys and certificates are made',
        },
        { name: 'serve idle, PSS', unit: 'MB', samples: [pss_mb], goal: { below: 80 } },
        { name: 'serve idle, anonymous part', unit: 'MB', samples: [pss_anonymous_mb] },
      ]
    } finally {
      await serve.stop()
      place.remove()
    }
  },
}
