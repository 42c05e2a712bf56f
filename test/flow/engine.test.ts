import { expect, test } from 'vitest'
import type { Boundary } from '../../src/flow/step.ts'
import { listSteps, releaseHeldJob } from '../../src/store/jobs.ts'
import type { Store } from '../../src/store/store.ts'
import { AssertionFailure } from '../../src/system/assert.ts'
import { createLog } from '../../src/system/log.ts'
import { createBench, dieAt, driverError, flaky, recorded, type TestStep } from './harness.ts'

const PLUG_FAILED = 'plug-vip of amphora 1: no answer (look at the network)'

test('steps run in order and leave their results', async () => {
  const events: string[] = []
  const bench = createBench([
    recorded(events, 'one'),
    recorded(events, 'two', {
      act: async ({ result }) => {
        events.push(`two after ${result<string>('one')}`)
        return { n: 2 }
      },
    }),
    {
      name: 'end',
      rows: async (_tx, { result }) => {
        events.push(`end after ${result<{ n: number }>('two').n}`)
      },
    },
  ])
  const id = await bench.enqueue()
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  expect(events).toEqual(['one', 'two after one', 'end after 2'])
  expect(await bench.story(id)).toEqual(['DONE', 'one DONE 1', 'two DONE 1', 'end DONE 1'])
})

test('no step ends before it began', async () => {
  const bench = createBench([
    { name: 'ask', act: async () => 'answer' },
    { name: 'slow', rows: async () => void (await bench.clock.sleep(20)) },
    { name: 'end', rows: async () => {} },
  ])
  const id = await bench.enqueue()
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  const rows = await listSteps(bench.store.read, id)
  const lasted = rows.map(({ started_ms, finished_ms }) => (finished_ms ?? 0) - (started_ms ?? 0))
  expect(lasted.filter((ms) => ms < 0)).toEqual([])
  expect(rows).toHaveLength(3)
})

test('a step that forgives records why and the flow goes on', async () => {
  const events: string[] = []
  const bench = createBench([
    recorded(events, 'one', { undo: async () => void events.push('undone') }),
    {
      name: 'clean',
      act: async () => {
        throw driverError(false)
      },
      forgive: (reason) => ({ reason }),
      rows: async (_tx, _context, result) => void events.push(JSON.stringify(result)),
    },
    recorded(events, 'last'),
  ])
  const id = await bench.enqueue()
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  expect(events).toEqual(['one', JSON.stringify({ reason: PLUG_FAILED }), 'last'])
  expect(await bench.story(id)).toEqual(['DONE', 'one DONE 1', 'clean DONE 1', 'last DONE 1'])
})

test('jobs of one load balancer run one after the other, others beside', async () => {
  const events: string[] = []
  const open = new Map<string, () => void>()
  const gate = (name: string): Promise<void> => new Promise((resolve) => open.set(name, resolve))
  const step = (name: string): TestStep => ({
    name: 'work',
    act: async () => {
      events.push(`${name} begins`)
      await gate(name)
      events.push(`${name} ends`)
      return undefined
    },
  })
  const bench = createBench([])
  const flows = Object.fromEntries(
    ['a1', 'a2', 'b1', 'none', 'none2'].map((name) => [
      name,
      { name, steps: () => [step(name)], failed: async () => {} },
    ]),
  )
  const engine = bench.engine({ flows }, 3)
  for (const [flow, load_balancer_id] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['none', null],
    ['none2', null],
  ] as const)
    await bench.enqueue({ flow, load_balancer_id })
  await engine.start()
  await until(() => open.size === 3)
  expect(events).toEqual(['a1 begins', 'b1 begins', 'none begins'])
  open.get('b1')?.()
  await until(() => open.size === 4)
  expect(events.slice(3)).toEqual(['b1 ends', 'none2 begins'])
  open.get('a1')?.()
  await until(() => open.size === 5)
  expect(events.slice(5)).toEqual(['a1 ends', 'a2 begins'])
  for (const go of open.values()) go()
  await engine.idle()
})

test('what may pass is tried again, with growing delays, as often as allowed', async () => {
  const bench = createBench([
    {
      name: 'plug',
      act: flaky(3, () => driverError(true)),
      retry: { attempts: 4, delay_ms: 100, factor: 2 },
    },
  ])
  const id = await bench.enqueue()
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  expect(await bench.story(id)).toEqual(['DONE', 'plug DONE 4'])
  expect(bench.clock.slept).toEqual([100, 200, 400])
})

test.each([
  [2, 'DONE', 'plug DONE 13', [20, 40]],
  [3, `REVERTED: test failed at step plug: ${PLUG_FAILED}`, 'plug UNDONE 1', [20, 40]],
])('after an outage, %i answers that say later: %s', async (later, end, step, delays) => {
  let tries = 0
  const bench = createBench([
    {
      name: 'plug',
      act: async () => {
        if (++tries <= 10) throw driverError(true, true)
        if (tries <= 10 + later) throw driverError(true)
        return undefined
      },
      undo: async () => {},
      retry: { attempts: 3, delay_ms: 20, factor: 2, delay_ms_max: 1_000 },
    },
  ])
  const id = await bench.enqueue()
  const said: string[] = []
  const write = (line: string) => void said.push(line)
  const { now } = bench.clock
  const engine = bench.engine({
    log: createLog({ format: 'human', level: () => 'warning', write, now }),
  })
  await engine.start()
  await engine.idle()
  expect(said.filter((line) => line.includes('step is tried again'))).toHaveLength(1)
  expect(await bench.story(id)).toEqual([end, step])
  expect(bench.clock.slept.slice(10)).toEqual(delays)
})

test('a restart during a long outage loses no job, and what comes after it has its tries', async () => {
  let tries = 0
  const bench = createBench([
    {
      name: 'plug',
      act: async () => {
        if (++tries <= 60) throw driverError(true, true)
        if (tries <= 62) throw driverError(true)
        return undefined
      },
      retry: { attempts: 3, delay_ms: 1_000 },
    },
  ])
  const id = await bench.enqueue()
  const waiting = {
    ...bench.clock,
    sleep: (ms: number, signal?: AbortSignal) =>
      tries < 40 ? bench.clock.sleep(ms, signal) : neverUnlessAborted(ms, signal),
  }
  const first = bench.engine({ clock: waiting })
  await first.start()
  await until(async () => (await bench.story(id))[1] === 'plug RUNNING 41')
  await first.stop()
  const second = bench.engine()
  await second.start()
  await second.idle()
  expect((await bench.story(id))[0]).toBe('DONE')
})

test.each<[string, TestStep['act'], string, number]>([
  ['retries are used up', flaky(9, () => driverError(true)), PLUG_FAILED, 2],
  ['a retry cannot help', flaky(9, () => driverError(false)), PLUG_FAILED, 1],
  [
    'it is a bug',
    flaky(9, () => new AssertionFailure('a port must be there')),
    'internal error: AssertionFailure: a port must be there',
    1,
  ],
])('all steps are undone in reverse when %s', async (_why, act, error, attempts) => {
  const events: string[] = []
  const bench = createBench([
    recorded(events, 'one'),
    { name: 'quiet', act: async () => undefined },
    recorded(events, 'two'),
    recorded(events, 'three', {
      act: act ?? (async () => undefined),
      retry: { attempts: 2, delay_ms: 1 },
    }),
    recorded(events, 'four'),
  ])
  const id = await bench.enqueue()
  const tries: string[] = []
  const engine = bench.engine({
    checkpoint: async ({ step, at }) => {
      if (step === 'three' && at === 'after-failure-record') tries.push(...(await bench.story(id)))
    },
  })
  await engine.start()
  await engine.idle()
  expect(tries.at(-1)).toBe(`three FAILED ${attempts}`)
  expect(events).toEqual(['one', 'two', 'undo three', 'undo two', 'undo one'])
  const reason = `test failed at step three: ${error}`
  expect(await bench.story(id)).toEqual([
    `REVERTED: ${reason}`,
    'one UNDONE 1',
    'quiet DONE 1',
    'two UNDONE 1',
    'three UNDONE 1',
  ])
  expect(bench.failures).toEqual([{ reason, clean: true, now: bench.clock.now() }])
})

test('an undo that fails is recorded and the others still run', async () => {
  const events: string[] = []
  const bench = createBench([
    recorded(events, 'one', { undo: flaky(1, () => driverError(true)) }),
    recorded(events, 'two', {
      undo: flaky(99, () => driverError(true)),
      retry: { attempts: 3, delay_ms: 1 },
    }),
    recorded(events, 'three', { act: flaky(1, () => new TypeError('x is not a function')) }),
  ])
  const id = await bench.enqueue()
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  const reason =
    'test failed at step three: internal error: TypeError: x is not a function; ' +
    `left behind: undo of two: ${PLUG_FAILED}`
  expect(await bench.story(id)).toEqual([
    `FAILED: ${reason}`,
    'one UNDONE 2',
    'two UNDO_FAILED 3',
    'three UNDONE 1',
  ])
  expect(bench.failures).toMatchObject([{ reason, clean: false }])
})

test('rows which cannot be written take the result of their step with them', async () => {
  const events: string[] = []
  const bench = createBench([
    recorded(events, 'one'),
    {
      name: 'end',
      rows: async () => {
        throw new AssertionFailure('no such row')
      },
    },
  ])
  const id = await bench.enqueue()
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  expect(events).toEqual(['one', 'undo one'])
  expect(await bench.story(id)).toEqual([
    'REVERTED: test failed at step one: internal error: AssertionFailure: no such row',
    'one UNDONE 1',
  ])
})

test('stop lets the running step end, and the next engine goes on after it', async () => {
  const events: string[] = []
  const bench = createBench([recorded(events, 'one'), recorded(events, 'two')])
  const id = await bench.enqueue()
  const first = bench.engine({
    checkpoint: ({ at }) => {
      if (at === 'before-record') void first.stop()
    },
  })
  await first.start()
  await first.idle()
  expect(await bench.story(id)).toEqual(['RUNNING', 'one DONE 1', 'two RUNNING 1'])
  const second = bench.engine()
  await second.start()
  await second.idle()
  expect(events).toEqual(['one', 'two'])
  expect(await bench.story(id)).toEqual(['DONE', 'one DONE 1', 'two DONE 2'])
})

test('stop cuts a wait short, and a restart forgives no try', async () => {
  const bench = createBench([
    {
      name: 'plug',
      act: flaky(99, () => driverError(true)),
      retry: { attempts: 5, delay_ms: 3_600_000 },
    },
  ])
  const id = await bench.enqueue()
  const waiting = { ...bench.clock, sleep: neverUnlessAborted }
  const first = bench.engine({ clock: waiting })
  await first.start()
  await until(async () => (await bench.story(id))[1] === 'plug RUNNING 2')
  await first.stop()
  expect(await bench.story(id)).toEqual(['RUNNING', 'plug RUNNING 2'])
  const second = bench.engine()
  await second.start()
  await second.idle()
  expect((await bench.story(id))[0]).toMatch(/^REVERTED/)
  expect(bench.clock.slept).toEqual([3_600_000, 3_600_000])
})

test('a stop while undoing keeps what is undone', async () => {
  const events: string[] = []
  const bench = createBench([
    recorded(events, 'one'),
    recorded(events, 'two'),
    recorded(events, 'three', { act: flaky(9, () => driverError(false)) }),
  ])
  const id = await bench.enqueue()
  const first = bench.engine({
    checkpoint: ({ step, at }) => {
      if (step === 'two' && at === 'before-undo-record') void first.stop()
    },
  })
  await first.start()
  await first.idle()
  expect((await bench.story(id)).slice(1)).toEqual([
    'one UNDOING 1',
    'two UNDONE 1',
    'three UNDONE 1',
  ])
  const second = bench.engine()
  await second.start()
  await second.idle()
  expect(events).toEqual(['one', 'two', 'undo three', 'undo two', 'undo one'])
  expect((await bench.story(id))[0]).toMatch(/^REVERTED/)
})

test('held jobs wait for their request, and run after its death', async () => {
  const bench = createBench([{ name: 'one', act: async () => undefined }])
  const engine = bench.engine()
  await engine.start()
  const id = await bench.enqueue({ status: 'HELD' })
  await engine.idle()
  expect(await bench.story(id)).toEqual(['HELD'])
  await bench.store.transaction((tx) => releaseHeldJob(tx, id))
  await engine.idle()
  expect((await bench.story(id))[0]).toBe('DONE')
  const orphan = await bench.enqueue({ status: 'HELD' })
  await engine.stop()
  const next = bench.engine()
  await next.start()
  await next.idle()
  expect((await bench.story(orphan))[0]).toBe('DONE')
})

test('a record which does not fit the flow fails the job', async () => {
  const bench = createBench([recorded([], 'one'), recorded([], 'two')])
  const id = await bench.enqueue()
  const { died, checkpoint } = dieAt(({ step, at }) => step === 'two' && at === 'before-act')
  await bench.engine({ checkpoint }).start()
  await died
  const renamed = createBench([recorded([], 'eins'), recorded([], 'two')], bench.store)
  const engine = renamed.engine()
  await engine.start()
  await engine.idle()
  const reason =
    'test cannot go on: internal error: AssertionFailure: step 0 was recorded as one and is now eins'
  expect((await bench.story(id))[0]).toBe(`FAILED: ${reason}`)
  expect(renamed.failures).toMatchObject([{ reason, clean: false }])
})

test.each(['gone', 'toString'])('a job of the unknown flow %s is abandoned', async (flow) => {
  const bench = createBench([])
  const id = await bench.enqueue({ flow })
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  expect((await bench.story(id))[0]).toMatch(/^FAILED: .*has no flow/)
  expect(bench.abandoned).toEqual(['lb'])
})

test('a flow that cannot even fail is abandoned and does not stop the others', async () => {
  const bench = createBench([])
  const broken = {
    name: 'broken',
    steps: () => [{ name: 'one', act: flaky(9, () => driverError(false)) }],
    failed: async () => {
      throw new TypeError('x is undefined')
    },
  }
  const good = { name: 'good', steps: () => [], failed: async () => {} }
  const id = await bench.enqueue({ flow: 'broken' })
  const next = await bench.enqueue({ flow: 'good' })
  const engine = bench.engine({ flows: { broken, good } })
  await engine.start()
  await engine.idle()
  expect((await bench.story(id))[0]).toMatch(/^FAILED: .*and then internal error: TypeError/)
  expect(bench.abandoned).toEqual(['lb'])
  expect((await bench.story(next))[0]).toBe('DONE')
})

test('a full disk delays the record and loses nothing', async () => {
  const events: string[] = []
  const bench = createBench([recorded(events, 'one'), recorded(events, 'two')])
  const id = await bench.enqueue()
  let outage = 0
  const store: Store = {
    ...bench.store,
    transaction: (body) =>
      bench.store.transaction(async (tx) => {
        const result = await body(tx)
        if (outage-- > 0) throw diskFull()
        return result
      }),
  }
  const checkpoint = ({ step, at }: Boundary): void => {
    if (step === 'one' && at === 'before-record') outage = 8
  }
  const engine = bench.engine({ store, checkpoint })
  await engine.start()
  await engine.idle()
  expect(events).toEqual(['one', 'two'])
  expect(await bench.story(id)).toEqual(['DONE', 'one DONE 1', 'two DONE 1'])
  expect(bench.clock.slept).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000])
})

test('a stop during an outage leaves the job to the next start', async () => {
  const bench = createBench([{ name: 'one', act: async () => undefined }])
  const id = await bench.enqueue()
  let full = false
  const store: Store = {
    ...bench.store,
    transaction: (body) => (full ? Promise.reject(diskFull()) : bench.store.transaction(body)),
  }
  let slept: () => void = () => {}
  const sleeping = new Promise<void>((resolve) => {
    slept = resolve
  })
  const clock = {
    ...bench.clock,
    sleep: (ms: number, signal?: AbortSignal) => {
      slept()
      return neverUnlessAborted(ms, signal)
    },
  }
  const first = bench.engine({
    store,
    clock,
    checkpoint: () => {
      full = true
    },
  })
  await first.start()
  await sleeping
  await first.stop()
  expect(await bench.story(id)).toEqual(['RUNNING', 'one RUNNING 1'])
  const second = bench.engine()
  await second.start()
  await second.idle()
  expect((await bench.story(id))[0]).toBe('DONE')
})

test('a step that kills the process every time is given up', async () => {
  const bench = createBench([{ name: 'one', act: async () => undefined }])
  const id = await bench.enqueue()
  for (let deaths = 0; deaths < 24; deaths++) {
    const { died, checkpoint } = dieAt(({ at }) => at === 'before-act')
    await bench.engine({ checkpoint }).start()
    await died
  }
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  expect((await bench.story(id))[0]).toMatch(/^REVERTED: .*the process ended 24 times/)
})

test('an engine which fails itself parks the job and goes on with others', async () => {
  const bench = createBench([{ name: 'one', act: async () => undefined }])
  const id = await bench.enqueue({ load_balancer_id: 'a' })
  const other = await bench.enqueue({ load_balancer_id: 'b' })
  const engine = bench.engine({
    checkpoint: ({ job_id }) => {
      if (job_id === id) throw new Error('broken checkpoint')
    },
  })
  await engine.start()
  await engine.idle()
  expect(await bench.story(id)).toEqual(['RUNNING', 'one RUNNING 1'])
  expect((await bench.story(other))[0]).toBe('DONE')
})

test('a thousand jobs all run, and no two of one load balancer at a time', async () => {
  let busy = 0
  let most = 0
  const order: number[] = []
  const running = new Set<string>()
  const bench = createBench([])
  const flow = {
    name: 'count',
    steps: (input: unknown) => {
      const { n, lb } = input as { n: number; lb: string }
      const act = async (): Promise<undefined> => {
        expect(running.has(lb)).toBe(false)
        running.add(lb)
        most = Math.max(most, ++busy)
        await new Promise((resolve) => setImmediate(resolve))
        busy--
        running.delete(lb)
        if (lb === 'lb0') order.push(n)
        return undefined
      }
      return [{ name: 'work', act }]
    },
    failed: async () => {},
  }
  const engine = bench.engine({ flows: { count: flow } }, 7)
  for (let n = 0; n < 1000; n++) {
    const lb = `lb${n % 20}`
    await bench.enqueue({ flow: 'count', load_balancer_id: lb, input: { n, lb } })
  }
  await engine.start()
  await engine.idle()
  expect(most).toBe(7)
  expect(order).toEqual(Array.from({ length: 50 }, (_, i) => 20 * i))
})

function diskFull(): Error {
  return Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
}

function neverUnlessAborted(_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (await condition()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('it never happened')
}

test('imaginary steps are recorded with what comes after them, and all by one commit', async () => {
  const events: string[] = []
  const imaginary = { imaginary: () => true }
  const bench = createBench([
    recorded(events, 'a', imaginary),
    recorded(events, 'b', { ...imaginary, rows: async () => {}, hasRows: () => false }),
    recorded(events, 'c', imaginary),
    { name: 'finish', rows: async () => void events.push('finish') },
  ])
  const id = await bench.enqueue()
  let commits = 0
  const transaction: typeof bench.store.transaction = (body, durability) => {
    commits++
    return bench.store.transaction(body, durability)
  }
  const engine = bench.engine({ store: { ...bench.store, transaction } })
  await engine.start()
  commits = 0
  await engine.idle()
  expect(events).toEqual(['a', 'b', 'c', 'finish'])
  expect(await bench.story(id)).toEqual([
    'DONE',
    'a DONE 1',
    'b DONE 1',
    'c DONE 1',
    'finish DONE 1',
  ])
  expect(commits).toBe(1)
})

test('what is put off is written before a step that is not imaginary acts, and when one fails', async () => {
  const events: string[] = []
  let seen: string[] = []
  const bench = createBench([
    recorded(events, 'imaginary', { imaginary: () => true }),
    recorded(events, 'real', {
      act: async () => {
        seen = await bench.story(id)
        throw driverError(false)
      },
    }),
  ])
  const id = await bench.enqueue()
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  expect(seen).toEqual(['RUNNING', 'imaginary DONE 1', 'real RUNNING 1'])
  expect(events).toEqual(['imaginary', 'undo real', 'undo imaginary'])
  expect((await bench.story(id)).slice(1)).toEqual(['imaginary UNDONE 1', 'real UNDONE 1'])
})

test('a try of an imaginary step that fails is recorded, with the job as running', async () => {
  const events: string[] = []
  let seen: string[] = []
  const fail = flaky(1, () => driverError(true))
  const bench = createBench([
    recorded(events, 'first', { imaginary: () => true }),
    recorded(events, 'second', {
      imaginary: () => true,
      act: async () => {
        seen = await bench.story(id)
        return await fail()
      },
    }),
  ])
  const id = await bench.enqueue()
  const engine = bench.engine()
  await engine.start()
  await engine.idle()
  expect(seen).toEqual(['RUNNING', 'first DONE 1', 'second RUNNING 2'])
  expect(await bench.story(id)).toEqual(['DONE', 'first DONE 1', 'second DONE 2'])
})
