/** Lists: filters, tags, order, pages, links, selected fields. */
import { beforeAll, describe, expect, test } from 'vitest'
import { listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { insertRow } from '../../src/store/repository.ts'
import { listenerRow, loadBalancerRow } from '../fake/rows.ts'
import { createHarness, type Harness, makeTree, PROJECT } from './harness.ts'

let harness: Harness
/** Oldest first. */
const NAMES = ['ant', 'bee', 'cat', 'dog', 'eel'] as const

beforeAll(async () => {
  harness = createHarness()
  const tags = [['x'], ['x', 'y'], ['y'], [], ['z, w']]
  await harness.store.transaction(async (tx) => {
    for (const [at, name] of NAMES.entries())
      await insertRow(
        tx,
        loadBalancer,
        loadBalancerRow({
          id: `0000000${at}-0000-4000-8000-000000000000`,
          name,
          project_id: at < 3 ? PROJECT : 'other',
          tags: tags[at] ?? [],
          admin_state_up: at !== 1,
          created_at: `2026-01-0${at + 1}T00:00:00`,
          vip_address: at === 4 ? null : `10.0.0.${at}`,
        }),
      )
    await insertRow(
      tx,
      listener,
      listenerRow({ loadbalancer_id: '00000002-0000-4000-8000-000000000000', protocol_port: 81 }),
    )
  })
})

const names = async (query: string): Promise<string[]> => {
  const { status, body } = await harness.send('GET', `/v2.0/lbaas/loadbalancers${query}`)
  if (status !== 200) throw new Error(body.faultstring)
  return body.loadbalancers.map((row: { name: string }) => row.name)
}
const ID = (at: number): string => `0000000${at}-0000-4000-8000-000000000000`

describe('a list', () => {
  test.each([
    ['', NAMES],
    ['?name=bee', ['bee']],
    ['?name=', []],
    [`?id=${ID(3)}`, ['dog']],
    [`?id=${ID(3).replaceAll('-', '')}`, ['dog']],
    ['?id=nonsense', []],
    ['?admin_state_up=false', ['bee']],
    ['?admin_state_up=True&name=ant', ['ant']],
    ['?vip_address=10.0.0.2', ['cat']],
    ['?vip_address=nonsense', []],
    [`?project_id=${PROJECT}`, ['ant', 'bee', 'cat']],
    ['?tenant_id=other', ['dog', 'eel']],
    ['?provisioning_status=ERROR', []],
    ['?tags=x', ['ant', 'bee']],
    ['?tags=x,y', ['bee']],
    ['?tags=x&tags=y', ['bee']],
    ['?tags-any=x,y', ['ant', 'bee', 'cat']],
    ['?not-tags=x,y', ['ant', 'cat', 'dog', 'eel']],
    ['?not-tags-any=x,y', ['dog', 'eel']],
    ["?tags=' or 1=1", []],
    ['?sort=name:desc', ['eel', 'dog', 'cat', 'bee', 'ant']],
    ['?sort=project_id:desc,name', ['dog', 'eel', 'ant', 'bee', 'cat']],
    ['?sort_key=name&sort_dir=DESC', ['eel', 'dog', 'cat', 'bee', 'ant']],
    ['?sort=vip_address', ['eel', 'ant', 'bee', 'cat', 'dog']],
    ['?limit=2', ['ant', 'bee']],
    ['?limit=0', NAMES],
    ['?limit=-1', NAMES],
    ['?limit=infinite', NAMES],
    [`?limit=2&marker=${ID(1)}`, ['cat', 'dog']],
    [`?marker=${ID(4)}`, []],
    [`?limit=2&marker=${ID(3)}&page_reverse=True`, ['bee', 'cat']],
    [`?limit=2&sort=name:desc&marker=${ID(3)}`, ['cat', 'bee']],
    [`?sort=vip_address&marker=${ID(4)}&limit=1`, ['ant']],
    [`?sort=vip_address:desc&marker=${ID(0)}`, ['eel']],
  ] as const)('%s', async (query, expected) => {
    expect(await names(query)).toEqual(expected)
  })

  test('links keep filters and fields', async () => {
    const asked = '?fields=id&fields=name&limit=1&provider=amphora&not-tags=a%20b'
    const { body } = await harness.send('GET', `/v2.0/lbaas/loadbalancers${asked}`)
    const kept = 'limit=1&fields=id&fields=name&provider=amphora&not-tags=a%20b'
    expect(body.loadbalancers_links).toEqual([
      {
        rel: 'next',
        href: `http://lb.example/v2.0/lbaas/loadbalancers?${kept}&marker=${ID(0)}`,
      },
    ])
  })

  test('pages are walked by their links, forwards and back', async () => {
    let path = '/v2.0/lbaas/loadbalancers?limit=2&sort=name:asc'
    const seen: string[][] = []
    const backwards: (string | undefined)[] = []
    for (;;) {
      const { body } = await harness.send('GET', path)
      seen.push(body.loadbalancers.map((row: { name: string }) => row.name))
      const links = body.loadbalancers_links as { rel: string; href: string }[]
      backwards.push(links.find((link) => link.rel === 'previous')?.href)
      const next = links.find((link) => link.rel === 'next')
      if (next === undefined) break
      expect(next.href).toMatch(
        /^http:\/\/lb\.example\/v2\.0\/lbaas\/loadbalancers\?limit=2&sort=name:asc&marker=/,
      )
      path = next.href.slice('http://lb.example'.length)
    }
    expect(seen).toEqual([['ant', 'bee'], ['cat', 'dog'], ['eel']])
    expect(backwards[0]).toBeUndefined()
    const previous = await harness.send(
      'GET',
      backwards[2]?.slice('http://lb.example'.length) ?? '',
    )
    expect(previous.body.loadbalancers.map((row: { name: string }) => row.name)).toEqual([
      'cat',
      'dog',
    ])
  })

  test('selected fields only', async () => {
    const list = await harness.send('GET', '/v2/loadbalancers?limit=1&fields=id&fields=name')
    expect(list.body.loadbalancers).toEqual([{ id: ID(0), name: 'ant' }])
    const one = await harness.send('GET', `/v2/loadbalancers/${ID(2)}?fields=listeners`)
    expect(one.body.loadbalancer.listeners).toHaveLength(1)
    expect(Object.keys(one.body.loadbalancer)).toEqual(['listeners'])
  })

  test('children by their parents', async () => {
    const found = await harness.send('GET', `/v2/listeners?loadbalancer_id=${ID(2)}`)
    expect(found.body.listeners).toHaveLength(1)
    expect(
      (await harness.send('GET', '/v2/listeners?protocol_port=81')).body.listeners,
    ).toHaveLength(1)
    expect((await harness.send('GET', '/v2/listeners?protocol_port=x')).body.listeners).toEqual([])
  })

  test('members and pools by name, id and relatives', async () => {
    const own = createHarness()
    const ids = await makeTree(own)
    const count = async (path: string, plural: string): Promise<number> =>
      (await own.send('GET', path)).body[plural].length
    const members = `/v2/pools/${ids.pool}/members`
    expect(await count(`${members}?id=${ids.member}`, 'members')).toBe(1)
    expect(await count(`${members}?name=nobody`, 'members')).toBe(0)
    expect(await count(`${members}?address=10.0.0.20`, 'members')).toBe(1)
    expect(await count(`/v2/pools?listener_id=${ids.listener}`, 'pools')).toBe(1)
    expect(await count(`/v2/pools?listener_id=${ids.pool}`, 'pools')).toBe(0)
    expect(await count(`/v2/pools?healthmonitor_id=${ids.monitor}`, 'pools')).toBe(1)
    expect(await count(`/v2/healthmonitors?pool_id=${ids.pool}`, 'healthmonitors')).toBe(1)
  })

  test('switches of the operator', async () => {
    const off = createHarness({
      api: { store: harness.store },
      options: {
        allow_filtering: false,
        allow_sorting: false,
        allow_pagination: false,
        allow_field_selection: false,
      },
    })
    const { body } = await off.send('GET', '/v2/loadbalancers?name=bee&sort=nope&limit=x&fields=id')
    expect(body.loadbalancers.map((row: { name: string }) => row.name)).toEqual(NAMES)
    expect(body.loadbalancers_links).toEqual([])
    const capped = createHarness({
      api: { store: harness.store },
      options: { pagination_max_limit: 3, api_base_uri: 'https://api.example/lb/' },
    })
    const page = (await capped.send('GET', '/v2/loadbalancers?limit=100')).body
    expect(page.loadbalancers).toHaveLength(3)
    expect(page.loadbalancers_links).toEqual([
      { rel: 'next', href: `https://api.example/lb/v2/loadbalancers?limit=3&marker=${ID(2)}` },
    ])
  })
})
