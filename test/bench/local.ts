/** The local cloud: a load balancer is ACTIVE when a real agent has started a real haproxy. */
import { join } from 'node:path'
import { populated } from './create.ts'
import { findTrees, memoryOf, type Process } from './processes.ts'
import type { Scenario } from './scenario.ts'
import { createPlace, type Place, type Serve, startServe } from './serve.ts'

const POLL_MS = 5

export const local: Scenario = {
  name: 'local',
  missing: () => {
    if (process.getuid?.() !== 0) return 'the local cloud needs root'
    for (const program of ['ip', 'nft', 'haproxy'])
      if (Bun.which(program) === null) return `${program} is not installed`
    const routes = Bun.spawnSync(['ip', 'route', 'show', 'default']).stdout.toString()
    return routes.trim() === '' ? undefined : 'must run in a network namespace of its own'
  },
  run: async ({ quick }) => {
    const place = createPlace('local')
    const serve = await startServe(place)
    try {
      const vip_subnet_id = await vipSubnet(serve)
      const create_ms: number[] = []
      const amphora = new Map<string, number[]>()
      for (let i = 0; i < (quick ? 2 : 15); i++) {
        const began = performance.now()
        const { id = '' } = await serve.api.createLoadBalancer({ vip_subnet_id, ...populated() })
        await serve.api.active(id, POLL_MS)
        create_ms.push(performance.now() - began)
        for (const [name, value] of weigh(place))
          amphora.set(name, [...(amphora.get(name) ?? []), value])
        await serve.api.deleteLoadBalancer(id, POLL_MS)
      }
      const goals: Record<string, { below: number }> = {
        'amphora in the local cloud, PSS': { below: 60 },
        '  of which the agent, anonymous': { below: 15 },
      }
      return [
        {
          name: 'start until the API answers, local cloud',
          unit: 'ms',
          samples: [serve.started_ms],
          note: 'first start, networks are made',
        },
        {
          name: 'create to ACTIVE, local cloud',
          unit: 'ms',
          samples: create_ms,
          goal: { below: 2000 },
          note: 'listener, pool, 5 members, monitor; agent and haproxy',
        },
        ...[...amphora].map(([name, samples]) => ({
          name,
          unit: 'MB',
          samples,
          ...(goals[name] === undefined ? {} : { goal: goals[name] }),
        })),
        {
          name: 'serve with the local cloud, PSS',
          unit: 'MB',
          samples: [memoryOf([serve.pid]).pss_mb],
        },
      ]
    } finally {
      await removeAll(serve)
      await serve.stop()
      place.remove()
    }
  },
}

async function vipSubnet(serve: Serve): Promise<string> {
  const answer = (await serve.api.call('GET', '/v2.0/subnets')) as { subnets: { id: string }[] }
  return answer.subnets[0]?.id ?? ''
}

/** What the only amphora weighs just after it became ACTIVE. */
function weigh(place: Place): [string, number][] {
  const all = findTrees(join(place.folder, 'data/cloud'))
  const part = (matches: (process: Process) => boolean): number[] =>
    all.filter(matches).map((process) => process.pid)
  const agent = part(({ command }) => / agent( |$)/.test(command) && !command.startsWith('/bin/sh'))
  const haproxy = part(({ command }) => command.includes('haproxy'))
  return [
    ['amphora in the local cloud, PSS', memoryOf(all.map((process) => process.pid)).pss_mb],
    ['  of which the agent, PSS', memoryOf(agent).pss_mb],
    ['  of which the agent, anonymous', memoryOf(agent).pss_anonymous_mb],
    ['  of which haproxy, PSS', memoryOf(haproxy).pss_mb],
  ]
}

/** Also after a failure: nothing may be left on the machine. */
async function removeAll(serve: Serve): Promise<void> {
  const answer = (await serve.api.call('GET', '/v2/lbaas/loadbalancers')) as {
    loadbalancers: { id: string }[]
  }
  for (const { id } of answer.loadbalancers) await serve.api.deleteLoadBalancer(id, POLL_MS)
}
