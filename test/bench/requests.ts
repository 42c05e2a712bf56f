/** Requests per second and what each costs: reading with wrk, writing with as many clients. */
import { systemProcesses } from '../../src/system/process.ts'
import { type Answer, type Api, inParallel } from './api.ts'
import { populated } from './create.ts'
import { cpuMs } from './processes.ts'
import type { Result } from './result.ts'
import type { Scenario } from './scenario.ts'
import { createPlace, type Serve, startServe } from './serve.ts'

const CONNECTIONS = [1, 8, 32] as const
const LISTED = [10, 100] as const
/** A load balancer takes one change at a time, so that many can be changed at once. */
const CHANGED = 64

export const requests: Scenario = {
  name: 'requests',
  missing: () => (Bun.which('wrk') === null ? 'wrk is not installed' : undefined),
  run: async ({ quick }) => {
    const place = createPlace('noop')
    const serve = await startServe(place)
    try {
      const targets = await fill(serve.api)
      const seconds = quick ? 1 : 4
      const results: Result[] = []
      for (const [name, path] of Object.entries(targets.paths))
        for (const connections of CONNECTIONS)
          results.push(
            ...(await read(serve, `GET ${name}, ${connections} at a time`, path, {
              connections,
              seconds,
            })),
          )
      for (const connections of CONNECTIONS) {
        results.push(...(await postListeners(serve, targets.changed, connections, quick ? 1 : 4)))
        results.push(...(await postMembers(serve, targets.changed, connections, quick ? 1 : 4)))
      }
      return results
    } finally {
      await serve.stop()
      place.remove()
    }
  },
}

interface Changed {
  readonly lb: string
  readonly pool: string
}

async function fill(api: Api): Promise<{ paths: Record<string, string>; changed: Changed[] }> {
  const paths: Record<string, string> = {}
  let one: Answer = {}
  for (const count of LISTED) {
    const project_id = `list-${count}`
    await inParallel(Array(count).fill(0), 8, async () => {
      one = await api.createLoadBalancer({ project_id })
    })
    paths[`list of ${count}`] = `/v2/lbaas/loadbalancers?project_id=${project_id}`
  }
  const changed = await inParallel(Array(CHANGED).fill(0), 8, async () => {
    const lb = (await api.createLoadBalancer(populated())) as unknown as {
      id: string
      pools: { id: string }[]
    }
    await api.active(lb.id, 20)
    return { lb: lb.id, pool: lb.pools[0]?.id ?? '' }
  })
  return {
    paths: {
      'one load balancer': `/v2/lbaas/loadbalancers/${one.id}`,
      'status tree': `/v2/lbaas/loadbalancers/${changed[0]?.lb}/status`,
      ...paths,
    },
    changed,
  }
}

async function read(
  serve: Serve,
  name: string,
  path: string,
  load: { readonly connections: number; readonly seconds: number },
): Promise<Result[]> {
  const url = `${serve.api.url}${path}`
  const wrk = ['wrk', '-t1', `-c${load.connections}`]
  // Warm first, so that what is measured is not the compiling of the code.
  await systemProcesses.run([...wrk, '-d1s', url])
  const before = cpuMs(serve.pid)
  const { stdout } = await systemProcesses.run([...wrk, `-d${load.seconds}s`, '--latency', url])
  const cpu = cpuMs(serve.pid) - before
  const total = Number(/(\d+) requests in/.exec(stdout)?.[1])
  if (/Non-2xx or 3xx|Socket errors/.test(stdout) || !(total > 0))
    throw new Error(`${name} went wrong: ${stdout}`)
  return [
    { name, unit: 'per s', samples: [total / load.seconds] },
    { name: '  CPU of each', unit: 'ms', samples: [cpu / total] },
  ]
}

let nextPort = 1000

function postListeners(
  serve: Serve,
  changed: readonly Changed[],
  connections: number,
  rounds: number,
): Promise<Result[]> {
  return write(
    serve,
    changed,
    `POST listener, ${connections} at a time`,
    connections,
    rounds,
    ({ lb }, port) =>
      serve.api.post('listeners', 'listener', {
        loadbalancer_id: lb,
        protocol: 'HTTP',
        protocol_port: port,
      }),
  )
}

function postMembers(
  serve: Serve,
  changed: readonly Changed[],
  connections: number,
  rounds: number,
): Promise<Result[]> {
  return write(
    serve,
    changed,
    `POST member, ${connections} at a time`,
    connections,
    rounds,
    ({ pool }, port) =>
      serve.api.post(`pools/${pool}/members`, 'member', {
        address: '198.51.100.7',
        protocol_port: port,
      }),
  )
}

/**
 * One POST per load balancer and round. Until all are ACTIVE again counts for the cost, not for the
 * rate.
 */
async function write(
  serve: Serve,
  changed: readonly Changed[],
  name: string,
  connections: number,
  rounds: number,
  post: (target: Changed, port: number) => Promise<unknown>,
): Promise<Result[]> {
  const answers: number[] = []
  const rates: number[] = []
  const before = cpuMs(serve.pid)
  for (let round = 0; round < rounds; round++) {
    const port = nextPort++
    const began = performance.now()
    await inParallel(changed, connections, async (target) => {
      const sent = performance.now()
      await post(target, port)
      answers.push(performance.now() - sent)
    })
    rates.push((changed.length / (performance.now() - began)) * 1000)
    await inParallel(changed, 8, ({ lb }) => serve.api.active(lb, 20))
  }
  const cpu = (cpuMs(serve.pid) - before) / (rounds * changed.length)
  return [
    { name, unit: 'per s', samples: rates, note: 'until the 201' },
    { name: '  answer after', unit: 'ms', samples: answers },
    {
      name: '  CPU of each',
      unit: 'ms',
      samples: [cpu],
      note: 'until ACTIVE again, with its flow',
    },
  ]
}
