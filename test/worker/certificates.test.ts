/** What becomes of listeners whose certificates are not there, in flows of every kind. */
import { expect, test } from 'vitest'
import { type Listener, listener } from '../../src/model/listener.ts'
import { pool } from '../../src/model/pool.ts'
import { findJob, listSteps } from '../../src/store/jobs.ts'
import { insertRow, updateRow } from '../../src/store/repository.ts'
import { listenerRow } from '../fake/rows.ts'
import { named, statuses } from './found.ts'
import { begin, type History, ID, LB, run } from './scenarios.ts'

const TLS = { protocol: 'TERMINATED_HTTPS' } as const

/** The history with TLS in the listener that is there, and perhaps one more. */
async function played(
  name: string,
  refs: Partial<Listener>,
  also?: (history: History) => Promise<void>,
): Promise<History> {
  const history = await begin(named(name))
  await history.store.transaction(async (tx) => {
    await updateRow(tx, listener, ID.listener, { ...TLS, ...refs })
  })
  await also?.(history)
  await run(history)
  return history
}

const configs = ({ world }: History) => Object.values(world.cloud.inventory().configs)[0]

test.each([
  ['a certificate', { default_tls_container_ref: 'missing-1' }, 'the certificate missing-1 is'],
  ['one for SNI', { sni_container_refs: ['there', 'missing-2'] }, 'the certificate missing-2 is'],
  [
    'a CA and a list',
    {
      default_tls_container_ref: 'there',
      client_ca_tls_container_ref: 'missing-3',
      client_crl_container_ref: 'missing-4',
    },
    'the CA certificate missing-3 is not there or may not be read, ' +
      'the revocation list missing-4 is',
  ],
])('a listener without %s is in ERROR, and its job says why', async (_, refs, said) => {
  const history = await played('listener-update', refs)
  const { lb, listener: own } = await statuses(history)
  expect([lb, own]).toEqual(['ACTIVE OFFLINE', 'ERROR ERROR'])
  expect(configs(history)).toEqual([])
  const job = await findJob(history.store.read, history.job_id)
  expect(job).toMatchObject({ status: 'DONE', error: expect.stringContaining(said) })
  expect(job?.error).toContain(`listener ${ID.listener} is not served`)
  const steps = await listSteps(history.store.read, history.job_id)
  expect(JSON.stringify(steps)).not.toMatch(/BEGIN/)
})

test('all others go on, and a change of another does not heal it', async () => {
  const history = await played(
    'member-create',
    { default_tls_container_ref: 'there', provisioning_status: 'ACTIVE' },
    async ({ store }) => {
      await store.transaction(async (tx) => {
        const refs = { default_tls_container_ref: 'missing', protocol_port: 444 }
        const broken = { id: ID.fresh, loadbalancer_id: LB, provisioning_status: 'ACTIVE' } as const
        await insertRow(tx, listener, listenerRow({ ...TLS, ...refs, ...broken }))
      })
    },
  )
  expect(await statuses(history)).toMatchObject({ lb: 'ACTIVE OFFLINE', member: 'ACTIVE OFFLINE' })
  expect(configs(history)).toHaveLength(1)
})

test('a pool whose authority is missing takes its listener out', async () => {
  const history = await played(
    'listener-update',
    { default_tls_container_ref: 'there' },
    async ({ store }) => {
      await store.transaction(async (tx) => {
        const tls = { tls_enabled: true, ca_tls_container_ref: 'missing' }
        await updateRow(tx, pool, ID.pool, tls)
      })
    },
  )
  expect((await statuses(history)).listener).toBe('ERROR ERROR')
})

test('a listener that has all it refers to is ACTIVE again', async () => {
  const history = await played('listener-update', { default_tls_container_ref: 'there' })
  expect((await statuses(history)).listener).toBe('ACTIVE OFFLINE')
  expect((await findJob(history.store.read, history.job_id))?.error).toBeNull()
})

test.each(['load-balancer-create', 'load-balancer-failover'])(
  '%s leaves a listener without certificate in ERROR and makes the rest ACTIVE',
  async (name) => {
    const history = await played(name, { default_tls_container_ref: 'missing' })
    const { lb, listener: own, pool: behind } = await statuses(history)
    expect(lb).toBe('ACTIVE OFFLINE')
    expect(own).toBe('ERROR ERROR')
    expect(behind).toBe('ACTIVE OFFLINE')
  },
)

test('one that is disabled needs none', async () => {
  const history = await played('listener-update', {
    default_tls_container_ref: 'missing',
    admin_state_up: false,
  })
  expect((await statuses(history)).listener).toBe('ACTIVE OFFLINE')
})

test('what has expired goes on serving, and the job asks for a new one', async () => {
  const history = await played(
    'listener-update',
    { default_tls_container_ref: 'there' },
    async ({ world }) => {
      await world.clock.advance(Date.parse('2200-01-01') - world.clock.now())
    },
  )
  expect((await statuses(history)).listener).toBe('ACTIVE OFFLINE')
  expect(configs(history)).toHaveLength(1)
  const job = await findJob(history.store.read, history.job_id)
  expect(job?.error).toMatch(
    /^the certificate there expired on 2126-\S+ UTC and goes on being used: renew it$/,
  )
})

test('a store that cannot be asked fails the change and takes nothing away', async () => {
  const history = await begin(named('listener-update'))
  await history.store.transaction(async (tx) => {
    await updateRow(tx, listener, ID.listener, { ...TLS, default_tls_container_ref: 'away' })
  })
  const before = history.world.cloud.inventory().configs
  await run(history)
  expect(history.world.cloud.inventory().configs).toEqual(before)
  const job = await findJob(history.store.read, history.job_id)
  expect(job).toMatchObject({ status: 'REVERTED' })
  expect(job?.error).toContain('get-certificate of away: the store is away')
})
