import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { command } from '../../../src/command/doctor.ts'
import { databaseIn } from '../../../src/command/serve/data-folder.ts'
import { loadBalancer } from '../../../src/model/load-balancer.ts'
import { pool } from '../../../src/model/pool.ts'
import { insertJob } from '../../../src/store/jobs.ts'
import { findRow, insertRow } from '../../../src/store/repository.ts'
import { openStore } from '../../../src/store/store.ts'
import { loadBalancerRow, poolRow } from '../../fake/rows.ts'

test('only what no job will end becomes ERROR, with what is in it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'))
  const config = join(folder, 'config.toml')
  writeFileSync(config, `[DEFAULT]\ndata_dir = "${folder}"\n`)
  const store = openStore(databaseIn(folder))
  const pending = { provisioning_status: 'PENDING_UPDATE' } as const
  const [stuck, busy, noop] = [
    loadBalancerRow(pending),
    loadBalancerRow(pending),
    loadBalancerRow({ ...pending, provider: 'noop_driver' }),
  ]
  const child = poolRow({ loadbalancer_id: stuck.id, ...pending })
  await store.transaction(async (tx) => {
    for (const row of [stuck, busy, noop]) await insertRow(tx, loadBalancer, row)
    await insertRow(tx, pool, child)
    const job = { flow: 'pool-update', load_balancer_id: busy.id, input: {}, request_id: null }
    await insertJob(tx, job, 0)
  })
  let out = ''
  const io = { out: (text: string) => (out += text), err: () => {}, terminal: false, env: {} }
  expect(await command.run(['stuck', '--yes', '--json', '--config-file', config], io)).toBe(0)
  expect(JSON.parse(out)).toEqual({ ended: [stuck.id] })
  const statusOf = async (id: string) =>
    (await findRow(store.read, loadBalancer, id))?.provisioning_status
  expect(await statusOf(stuck.id)).toBe('ERROR')
  expect(await statusOf(busy.id)).toBe('PENDING_UPDATE')
  expect(await statusOf(noop.id)).toBe('PENDING_UPDATE')
  expect((await findRow(store.read, pool, child.id))?.provisioning_status).toBe('ERROR')
  store.close()
})

test('words that are no verb of it', async () => {
  const io = { out: () => {}, err: () => {}, terminal: false, env: {} }
  await expect(command.run(['orphan'], io)).rejects.toThrow('say doctor, doctor orphans or')
  await expect(command.run(['--delete'], io)).rejects.toThrow('--delete belongs to doctor orphans')
})
