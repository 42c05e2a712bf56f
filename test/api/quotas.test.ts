/** Limits of projects: shown, changed, given up, and held. */
import { describe, expect, test } from 'vitest'
import { createHarness, type Harness, makeTree, PROJECT, SETTINGS, SUBNET } from './harness.ts'

const QUOTAS = '/v2.0/lbaas/quotas'
const OTHER = 'other-project'
const DEFAULTS = SETTINGS.default_quotas

/** As it is answered: under the present and the older names. */
const answered = (project_id: string, limits: Record<string, number | null>) => ({
  project_id,
  tenant_id: project_id,
  ...limits,
  loadbalancer: limits.load_balancer,
  healthmonitor: limits.health_monitor,
})
const show = async (harness: Harness, project_id: string) =>
  (await harness.send('GET', `${QUOTAS}/${project_id}`)).body.quota
const NONE = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, null]))

describe('limits', () => {
  test('are the defaults for a project that has none, and nothing is stored by asking', async () => {
    const harness = createHarness()
    const paths = [OTHER, `${OTHER}/default`, 'defaults', `${PROJECT}/default`]
    for (const path of paths) {
      const { status, body } = await harness.send('GET', `${QUOTAS}/${path}`)
      const project_id = path.split('/')[0] ?? ''
      expect([status, body]).toEqual([200, { quota: answered(project_id, DEFAULTS) }])
    }
    expect((await harness.send('GET', QUOTAS)).body).toEqual({ quotas: [], quotas_links: [] })
  })

  test('are set under either name, one by one', async () => {
    const harness = createHarness()
    const put = (quota: object) => harness.send('PUT', `${QUOTAS}/${OTHER}`, { quota })
    const first = await put({ loadbalancer: 7, health_monitor: 8, listener: '9' })
    const limits = { ...DEFAULTS, load_balancer: 7, health_monitor: 8, listener: 9 }
    expect([first.status, first.body]).toEqual([202, { quota: answered(OTHER, limits) }])
    await put({ load_balancer: 1, loadbalancer: 2, healthmonitor: -1, l7rule: 0 })
    const then = { ...limits, load_balancer: 2, health_monitor: -1, l7rule: 0 }
    expect(await show(harness, OTHER)).toEqual(answered(OTHER, then))
    await put({ listener: null, load_balancer: null })
    const { listener, load_balancer } = DEFAULTS
    const last = { ...then, listener, load_balancer }
    expect(await show(harness, OTHER)).toEqual(answered(OTHER, last))
    // A limit that was never set, or is given up, is null in the list.
    const listed = { ...NONE, health_monitor: -1, l7rule: 0 }
    expect((await harness.send('GET', QUOTAS)).body.quotas).toEqual([answered(OTHER, listed)])
  })

  test('are given up, but not where there never were any', async () => {
    const harness = createHarness()
    expect(await harness.send('DELETE', `${QUOTAS}/${OTHER}`)).toMatchObject({
      status: 404,
      body: { faultstring: `Quotas ${OTHER} not found.` },
    })
    await harness.send('PUT', `${QUOTAS}/${OTHER}`, { quota: { pool: 4 } })
    const { status, body } = await harness.send('DELETE', `${QUOTAS}/${OTHER}`)
    expect([status, body]).toEqual([202, undefined])
    expect(await show(harness, OTHER)).toEqual(answered(OTHER, DEFAULTS))
  })

  test('of all projects are listed, filtered, sorted and paged', async () => {
    const harness = createHarness()
    for (const [project, load_balancer] of [
      ['a', 3],
      ['b', 1],
      ['c', 2],
    ] as const)
      await harness.send('PUT', `${QUOTAS}/${project}`, { quota: { load_balancer } })
    const projects = async (query: string) =>
      (await harness.send('GET', `${QUOTAS}?${query}`)).body.quotas.map(
        (row: { project_id: string }) => row.project_id,
      )
    expect(await projects('')).toEqual(['a', 'b', 'c'])
    expect(await projects('sort=load_balancer:desc')).toEqual(['a', 'c', 'b'])
    expect(await projects('loadbalancer=2')).toEqual(['c'])
    expect(await projects('project_id=b')).toEqual(['b'])
    const page = await harness.send('GET', `${QUOTAS}?limit=2`)
    expect(page.body.quotas_links).toEqual([
      { rel: 'next', href: `http://lb.example${QUOTAS}?limit=2&marker=b` },
    ])
    expect(await projects('limit=2&marker=b')).toEqual(['c'])
  })

  test.each<[string, unknown, number, unknown]>([
    ['below -1', { pool: -2 }, 400, expect.stringContaining('greater or equal to -1')],
    ['too large', { pool: 2_000_000_001 }, 400, expect.stringContaining('2000000000')],
    ['no number', { pool: 'many' }, 400, expect.stringContaining('attribute pool')],
    ['not whole', { pool: 1.5 }, 400, expect.stringContaining('attribute pool')],
    ['of what is none', { cats: 1 }, 400, 'Unknown attribute for argument quotas.quota: cats'],
    ['of a project', { project_id: 'x' }, 400, expect.stringContaining('project_id')],
    ['no object', null, 400, expect.stringContaining('attribute quota')],
  ])('that are %s are refused and nothing changes', async (_what, quota, ...expected) => {
    const harness = createHarness()
    const before = await harness.dump()
    const { status, body } = await harness.send('PUT', `${QUOTAS}/${OTHER}`, { quota })
    expect([status, body.faultstring]).toEqual(expected)
    expect(await harness.dump()).toEqual(before)
  })

  test('of a project which no row could name are refused', async () => {
    const path = `${QUOTAS}/${'x'.repeat(37)}`
    const { status } = await createHarness().send('PUT', path, { quota: {} })
    expect(status).toBe(400)
  })
})

describe('a request beyond a limit', () => {
  const ROWS = [
    ['load_balancer', 'Load Balancer', '/v2.0/lbaas/loadbalancers'],
    ['listener', 'Listener', '/v2.0/lbaas/listeners'],
    ['pool', 'Pool', '/v2.0/lbaas/pools'],
  ] as const
  const bodyOf = (name: string, lb: string) => {
    if (name === 'listener')
      return { listener: { loadbalancer_id: lb, protocol: 'TCP', protocol_port: 99 } }
    if (name === 'pool')
      return { pool: { loadbalancer_id: lb, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' } }
    return { loadbalancer: { vip_subnet_id: SUBNET } }
  }

  test.each(ROWS)('is refused: %s', async (name, title, path) => {
    const unlimited = {
      load_balancer: -1,
      listener: -1,
      pool: -1,
      member: -1,
      health_monitor: -1,
      l7policy: -1,
      l7rule: -1,
    }
    const harness = createHarness({ settings: { quotas: unlimited } })
    const { lb } = await makeTree(harness)
    await harness.send('PUT', `${QUOTAS}/${PROJECT}`, { quota: { [name]: 1 } })
    const before = await harness.dump()
    const refused = await harness.send('POST', path, bodyOf(name, lb))
    expect([refused.status, refused.body.faultstring]).toEqual([
      403,
      `Quota has been met for resources: ${title}`,
    ])
    const { job: _job, ...after } = await harness.dump()
    expect(before).toMatchObject(after)
    // The limit is the project's own, and counts what is there.
    await harness.send('PUT', `${QUOTAS}/${PROJECT}`, { quota: { [name]: 2 } })
    expect((await harness.send('POST', path, bodyOf(name, lb))).status).toBe(201)
  })
})
