/** Every verb of the resources against the API itself, in this process. */
import { expect, test } from 'vitest'
import type { Fetch } from '../../../src/command/cloud-login.ts'
import type { Io } from '../../../src/command/io.ts'
import {
  createHarness,
  type Harness,
  makeTree,
  PROJECT,
  SUBNET,
  settle,
} from '../../api/harness.ts'
import { createFakeClock } from '../../fake/clock.ts'
import { run as runLine } from './harness.ts'

/** Sleeps are when the worker does its work. */
function createRunner(harness: Harness) {
  const fetch: Fetch = async (url, init) => {
    const path = url.slice('http://lb.example'.length)
    const text = typeof init.body === 'string' ? init.body : ''
    const answer = await harness.sendText(init.method ?? 'GET', path, text)
    const { status, headers, body } = answer
    return new Response(body === undefined ? null : JSON.stringify(body), { status, headers })
  }
  const clock = { ...createFakeClock(), sleep: () => settle(harness) }
  return async (line: string, over: Partial<Io> = {}) =>
    await runLine(line, { fetch, clock }, { ...over })
}

test('a load balancer is made, and waited for', async () => {
  const run = createRunner(createHarness())
  const line = `lb create --name web~one --vip-subnet-id ${SUBNET} --tag a --tag b`
  const pending = (await run(`${line} -f json`)).json()
  expect(pending).toMatchObject({ name: 'web one', provisioning_status: 'PENDING_CREATE' })
  const active = (await run(`${line} --wait -f json`)).json()
  expect(active).toMatchObject({ provisioning_status: 'ACTIVE', tags: ['a', 'b'] })
  const { out } = await run('lb list -c name -c provisioning_status')
  expect(out.split('\n').slice(0, 3)).toEqual([
    '+---------+---------------------+',
    '| name    | provisioning_status |',
    '+---------+---------------------+',
  ])
})

test('what exists is listed, shown, changed and deleted by its name', async () => {
  const harness = createHarness()
  const run = createRunner(harness)
  const json = async <T = Record<string, unknown>>(line: string) =>
    (await run(`${line} -f json`)).json<T>()
  const tree = await makeTree(harness)

  expect(await json('lb list')).toMatchObject([{ id: tree.lb, name: 'lb', provider: 'amphora' }])
  expect(await json('lb show lb')).toMatchObject({
    id: tree.lb,
    listeners: [{ id: tree.listener }],
  })
  expect(await json(`lb show ${tree.lb} -c name`)).toEqual({ name: 'lb' })
  expect(await json('lb stats show lb')).toMatchObject({ bytes_in: 0, total_connections: 0 })
  const status = (await run('lb status show lb')).json()
  expect(status).toMatchObject({ loadbalancer: { name: 'lb', listeners: [{ name: 'front' }] } })

  await run('lb set lb --name web --tag x --tag y --wait')
  await run('lb set web --tag z --wait')
  expect(await json('lb show web')).toMatchObject({ tags: ['x', 'y', 'z'] })
  await run('lb unset web --tag x --wait')
  await run('lb set web --no-tag --tag only --wait')
  expect(await json('lb show web')).toMatchObject({ tags: ['only'] })
  await run('lb unset web --all-tag --wait')
  expect(await json('lb show web')).toMatchObject({ tags: [] })

  const made = await json('listener create web --name alt --protocol tcp --protocol-port 81 --wait')
  expect(made).toMatchObject({ protocol: 'TCP', provisioning_status: 'ACTIVE' })
  await run('listener set alt --connection-limit 9 --allowed-cidr 10.0.0.0/8 --wait')
  expect(await json('listener show alt')).toMatchObject({
    connection_limit: 9,
    allowed_cidrs: ['10.0.0.0/8'],
  })
  await run('listener unset alt --connection-limit --allowed-cidrs --wait')
  expect(await json('listener show alt')).toMatchObject({
    connection_limit: -1,
    allowed_cidrs: null,
  })
  expect(await json('listener stats show alt')).toMatchObject({ request_errors: 0 })
  expect(await json('listener list --loadbalancer web --name front')).toMatchObject([
    { id: tree.listener, default_pool_id: tree.pool },
  ])

  const pool = await json(
    'pool create --name extra --protocol HTTP --lb-algorithm source_ip --loadbalancer web --wait',
  )
  expect(pool).toMatchObject({ lb_algorithm: 'SOURCE_IP', loadbalancers: [{ id: tree.lb }] })
  await run('pool set extra --session-persistence type=APP_COOKIE,cookie_name=c --wait')
  expect(await json('pool show extra')).toMatchObject({
    session_persistence: { type: 'APP_COOKIE', cookie_name: 'c' },
  })
  await run('pool unset extra --session-persistence --wait')
  expect(await json('pool show extra')).toMatchObject({ session_persistence: null })
  expect(await json<unknown[]>('pool list --loadbalancer web')).toHaveLength(2)

  const member = 'member create extra --name m --address 10.0.0.30 --protocol-port 80 --wait'
  expect(await json(member)).toMatchObject({ weight: 1, backup: false })
  await run('member set extra m --weight 5 --enable-backup --wait')
  expect(await json('member show extra m')).toMatchObject({ weight: 5, backup: true })
  await run('member unset extra m --weight --backup --wait')
  expect(await json('member show extra m')).toMatchObject({ weight: 1, backup: false })
  expect(await json<unknown[]>('member list extra')).toHaveLength(1)

  const monitor =
    'healthmonitor create extra --name h --type http --delay 5 --timeout 3 --max-retries 2'
  expect(await json(`${monitor} --http-version 1.1 --domain-name a.example --wait`)).toMatchObject({
    type: 'HTTP',
    http_version: 1.1,
    provisioning_status: 'ACTIVE',
  })
  await run('healthmonitor set h --url-path /up --wait')
  await run('healthmonitor unset h --domain-name --wait')
  expect(await json('healthmonitor show h')).toMatchObject({ url_path: '/up', domain_name: null })
  expect(await json<unknown[]>('healthmonitor list')).toHaveLength(2)

  await run('healthmonitor delete h --wait')
  await run('member delete extra m --wait')
  await run('pool delete extra --wait')
  await run('listener delete alt --wait')
  expect(await json<unknown[]>('pool list')).toHaveLength(1)
  await run('lb delete web --cascade --wait')
  expect(await json('lb list')).toEqual([])
  expect(await json('amphora list --long')).toEqual([])
  expect(await json('provider list')).toMatchObject([{ name: 'amphora' }])
})

test('a name that several have needs the id', async () => {
  const harness = createHarness()
  const run = createRunner(harness)
  await makeTree(harness)
  await makeTree(harness)
  await expect(run('lb show lb')).rejects.toThrow("2 loadbalancers are named 'lb'; use the ID")
})

test('failures say what the server said, and what to do', async () => {
  const harness = createHarness()
  const run = createRunner(harness)
  await expect(run('lb show none')).rejects.toThrow("there is no loadbalancer 'none'")
  await makeTree(harness)
  await run('lb set lb --name busy')
  await expect(run('lb set busy --name again')).rejects.toThrow(
    /Invalid state PENDING_UPDATE of loadbalancer resource .* \(HTTP 409\) \(Req.*--wait/,
  )
  await expect(run('lb create --vip-port-id x')).rejects.toMatchObject({ exit: 1 })
  await expect(run('lb create')).rejects.toMatchObject({ exit: 2 })
  await expect(run('lb frobnicate')).rejects.toThrow('octavia-lite lb knows list, show')
})

test('waiting shows how it goes: lines for files, one live line on a terminal', async () => {
  const harness = createHarness()
  const run = createRunner(harness)
  const { lb } = await makeTree(harness)
  const plain = await run('lb set lb --name a --wait')
  expect(plain.err).toBe(`loadbalancer ${lb}: PENDING_UPDATE\n`)
  const live = await run('lb set a --name b --wait', { liveProgress: true })
  expect(live.err).toContain(`loadbalancer ${lb}: PENDING_UPDATE, 0.0 s`)
  expect(live.err.endsWith('\r\u001b[K')).toBe(true)
})

test('a list of many pages is one list', async () => {
  const harness = createHarness({ options: { pagination_max_limit: 2 } })
  const run = createRunner(harness)
  const names = ['a', 'b', 'c', 'd', 'e']
  for (const name of names)
    await harness.send('POST', '/v2.0/lbaas/loadbalancers', {
      loadbalancer: { name, vip_subnet_id: SUBNET, project_id: PROJECT },
    })
  const { out } = await run('lb list -f value -c name --sort-column name')
  expect(out).toBe(names.map((name) => `${name}\n`).join(''))
})
