/** Rows of the matrix: L7 policies and rules that are changed under traffic. */
import { expect } from 'vitest'
import { ask } from './client.ts'
import { type MatrixRow, only, type Run, type Wish } from './row.ts'
import { expectAll, path, REJECTED, ruled } from './rules.ts'

/** Asks for what no policy is about until told to stop. */
async function keepAsking(run: Run, signal: AbortSignal) {
  const counts = { answered: 0, failed: 0 }
  while (!signal.aborted) {
    const status = await ask(only(run), path('/yes')).then(
      (reply) => reply.status,
      () => 0,
    )
    if (status === 200) counts.answered++
    else counts.failed++
  }
  return counts
}

/** Changes of policies and rules, each in effect when it returns. */
function changesOf({ client, load_balancer_id }: Run) {
  const change = async (method: string, where: string, body?: Wish): Promise<string> => {
    const { id } = await client.call(method, `l7policies${where}`, body)
    await client.active(load_balancer_id)
    return String(id)
  }
  return {
    policy: (l7policy: Wish) => change('POST', '', { l7policy }),
    rule: (policy: string, rule: Wish) => change('POST', `/${policy}/rules`, { rule }),
    update: (policy: string, l7policy: Wish) => change('PUT', `/${policy}`, { l7policy }),
    updateRule: (policy: string, id: string, rule: Wish) =>
      change('PUT', `/${policy}/rules/${id}`, { rule }),
    remove: (where: string) => change('DELETE', `/${where}`),
  }
}

const OTHER = { type: 'PATH', compare_type: 'EQUAL_TO', value: '/other' }
const AWAY = { action: 'REDIRECT_TO_URL', redirect_url: 'http://away.example/' }
const GONE = '302 http://away.example/'
const ELSEWHERE = { action: 'REDIRECT_PREFIX', redirect_prefix: 'http://elsewhere.example' }
const MOVED = '302 http://elsewhere.example/other'

async function changeAll(run: Run): Promise<void> {
  const changes = changesOf(run)
  const listener_id = only(run).id
  const list = (await run.client.call('GET', `l7policies?listener_id=${listener_id}`)) as unknown
  const [made] = list as { id: string; rules: { id: string }[] }[]
  const [first, rule] = [made?.id ?? '', made?.rules[0]?.id ?? '']
  const shows = (no: string, other: string) =>
    expectAll(run, [
      [path('/no'), no],
      [path('/other'), other],
    ])
  await shows('403', 'a')
  await changes.update(first, AWAY)
  await shows(GONE, 'a')
  await changes.updateRule(first, rule, OTHER)
  await shows('a', GONE)
  const both = await changes.rule(first, { ...OTHER, value: '/no' })
  await shows('a', 'a')
  await changes.remove(`${first}/rules/${both}`)
  await shows('a', GONE)
  const second = await changes.policy({ listener_id, ...ELSEWHERE, position: 1 })
  await shows('a', GONE)
  await changes.rule(second, OTHER)
  await shows('a', MOVED)
  await changes.update(second, { position: 2 })
  await shows('a', GONE)
  await changes.update(first, { admin_state_up: false })
  await shows('a', MOVED)
  await changes.remove(second)
  await shows('a', 'a')
}

export const ruleChangeRows: readonly MatrixRow[] = [
  {
    features: [257, 314],
    shows: 'policies and rules that are changed under traffic are in effect, and no request fails',
    listeners: (place) => [ruled(place, [REJECTED], { action: 'REJECT' })],
    check: async (run) => {
      const end = new AbortController()
      const asking = keepAsking(run, end.signal)
      try {
        await changeAll(run)
      } finally {
        end.abort()
      }
      const { answered, failed } = await asking
      expect(failed).toBe(0)
      expect(answered).toBeGreaterThan(20)
    },
  },
]
