/** What a pair does beyond a single amphora, and what becomes of it when one is out of reach. */
import { expect, test } from 'vitest'
import { DriverError } from '../../src/driver/error.ts'
import { type Amphora, amphora } from '../../src/model/amphora.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { listJobs } from '../../src/store/jobs.ts'
import { findRows, getRow } from '../../src/store/repository.ts'
import { findVrrpGroup } from '../../src/store/vrrp-groups.ts'
import { present } from '../../src/system/assert.ts'
import type { FailoverInput, Replacement } from '../../src/worker/catalogue.ts'
import { inOrder } from '../../src/worker/steps/pair-replacement.ts'
import { idOf } from '../fake/cloud.ts'
import {
  begin,
  breaches,
  endOf,
  type History,
  LB,
  run,
  SCENARIOS,
  type Scenario,
} from './scenarios.ts'

const [MASTER, BACKUP] = [idOf('amphora 1'), idOf('amphora 2')] as const

const named = (name: string): Scenario =>
  present(
    SCENARIOS.find((one) => one.name === name),
    name,
  )

type Fault = History['world']['cloud']['fault']

async function played(name: string, fault: Fault = () => {}): Promise<History> {
  const history = await begin(named(name))
  history.world.cloud.fault = fault
  await run(history)
  return history
}

const OF_AGENTS = ['get-info', 'update-listeners', 'find-interface', 'update-vrrp']

/** The agents of these do not answer any more. */
const silent =
  (...ids: readonly string[]): Fault =>
  (operation, subject) => {
    if (!ids.includes(subject) || !OF_AGENTS.includes(operation)) return
    throw new DriverError({ operation, subject, reason: 'no answer', retryable: true })
  }

const living = async ({ store }: History): Promise<readonly Amphora[]> =>
  (await findRows(store.read, amphora, {})).filter((row) => row.status !== 'DELETED')

test('a pair is kept on different hosts and shares a secret that no job knows', async () => {
  const history = await played('load-balancer-create of a pair')
  expect(history.world.cloud.inventory().groups).toEqual([LB])
  const group = await findVrrpGroup(history.store.read, LB)
  expect(group).toMatchObject({ advert_int: 1, auth_pass: expect.stringMatching(/^[0-9a-f]{7}$/) })
  const jobs = await listJobs(history.store.read, { limit: 10 })
  expect(JSON.stringify(jobs)).not.toContain(group?.auth_pass)
  for (const row of await living(history)) expect(row.vrrp_interface).toBe('eth1')
})

test('a pair needs keepalived, and says so', async () => {
  const history = await begin(named('load-balancer-create of a pair'))
  const { world } = history
  const getInfo = world.amphora.getInfo
  const without: typeof getInfo = async (row) => ({
    ...(await getInfo(row)),
    keepalived_version: '',
  })
  await run({ ...history, world: { ...world, amphora: { ...world.amphora, getInfo: without } } })
  const [job] = await listJobs(history.store.read, { limit: 1 })
  expect(job).toMatchObject({ status: 'REVERTED', error: expect.stringContaining('keepalived') })
})

test('a load balancer whose VIP nobody takes is not ACTIVE', async () => {
  const history = await begin(named('load-balancer-create of a pair'))
  const { world } = history
  const findInterface: typeof world.amphora.findInterface = async (row, ip) =>
    ip === row.vrrp_ip ? 'eth1' : undefined
  await run({ ...history, world: { ...world, amphora: { ...world.amphora, findInterface } } })
  const [job] = await listJobs(history.store.read, { limit: 1 })
  expect(job?.error).toContain('none of its amphorae has taken the VIP')
  expect(breaches(await endOf(history))).toEqual([])
})

test('one whose other is out of reach is replaced, and then the other', async () => {
  const history = await begin(named('amphora-failover'))
  for (const id of [MASTER, BACKUP]) await history.world.compute.delete(id)
  await run(history)
  const rows = await living(history)
  expect(rows.map((row) => row.role).toSorted()).toEqual(['BACKUP', 'MASTER'])
  expect(rows.map((row) => row.id)).not.toContain(MASTER)
  expect(rows.map((row) => row.id)).not.toContain(BACKUP)
  expect(breaches(await endOf(history))).toEqual([])
  expect((await getRow(history.store.read, loadBalancer, LB)).provisioning_status).toBe('ACTIVE')
  const jobs = await listJobs(history.store.read, { limit: 10 })
  expect(jobs.map((job) => job.flow)).toEqual([
    'amphora-failover',
    'amphora-failover',
    'load-balancer-create',
  ])
})

test('a new one that is out of reach is taken back, and the old ones serve', async () => {
  const history = await played('amphora-failover', (operation, subject) => {
    if (operation === 'update-vrrp') silent(idOf('new MASTER'))(operation, subject)
  })
  expect((await living(history)).map((row) => row.id).toSorted()).toEqual(
    [MASTER, BACKUP].toSorted(),
  )
  expect(breaches(await endOf(history))).toEqual([])
})

test('what the one that goes refuses does not keep it', async () => {
  const history = await played('amphora-failover', (operation, subject) => {
    if (subject === MASTER && (operation === 'update-listeners' || operation === 'update-vrrp'))
      throw new DriverError({ operation, subject, reason: 'broken', retryable: false })
  })
  expect((await living(history)).map((row) => row.id)).not.toContain(MASTER)
  expect(breaches(await endOf(history))).toEqual([])
})

test('both are replaced, the one without the VIP first', async () => {
  const history = await played('load-balancer-failover of a pair')
  const jobs = await listJobs(history.store.read, { limit: 10 })
  const inputs = jobs.map((job) => JSON.parse(job.input) as FailoverInput)
  // In the fake the first has the VIP.
  expect(inputs[1]?.replacements.map((one) => one.replaces)).toEqual([[BACKUP], [MASTER]])
  expect(inputs[0]?.replacements.map((one) => one.replaces)).toEqual([[MASTER]])
})

test.each<[string, { owner: string | null; unreachable: string[] }, string]>([
  ['b has it', { owner: 'b', unreachable: [] }, 'acb'],
  ['a has it', { owner: 'a', unreachable: [] }, 'bca'],
  ['nobody has it', { owner: null, unreachable: [] }, 'abc'],
  ['c is out of reach', { owner: 'a', unreachable: ['c'] }, 'cba'],
  ['all are out of reach', { owner: null, unreachable: ['a', 'b', 'c'] }, 'abc'],
])('the order of replacements: %s', (_, answers, expected) => {
  const all = ['a', 'b', 'c'].map((id): Replacement => ({ id, role: 'BACKUP', replaces: [id] }))
  expect(
    inOrder(all, answers)
      .map((one) => one.id)
      .join(''),
  ).toBe(expected)
})
