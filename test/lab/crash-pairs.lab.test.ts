/**
 * Like crash.lab.test.ts, for a pair: made, both of it replaced, deleted, with `serve` killed at
 * every step boundary and real keepalived.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createLab, labMissing, titled, vipSubnet } from './harness.ts'
import { leftovers, snapshot } from './leftovers.ts'
import { boundariesOf, type Job, Phoenix } from './phoenix.ts'

const missing = labMissing('keepalived')

/** Replacing both is a hundred deaths and starts. */
const PATIENCE_MS = 900_000

interface Amphora {
  readonly id: string
  readonly role: string
  readonly status: string
}

test.skipIf(missing !== undefined)(
  titled(missing)('SIGKILL at every step boundary of a pair'),
  async () => {
    const before = await snapshot()
    const lab = createLab({ worker: 'loadbalancer_topology = "ACTIVE_STANDBY"' })
    const phoenix = new Phoenix(lab)
    const change = async (method: string, path: string, body?: unknown): Promise<void> => {
      const status = await phoenix.change(method, path, { body, patience_ms: PATIENCE_MS })
      if (status !== undefined) expect(status, `${method} ${path}`).toBeLessThan(300)
    }
    const only = async (): Promise<string> => {
      const { loadbalancers: rows } = await phoenix.get<{
        loadbalancers: { id: string; provisioning_status: string }[]
      }>('lbaas/loadbalancers')
      expect(rows.map((row) => row.provisioning_status)).toEqual(['ACTIVE'])
      return rows[0]?.id ?? ''
    }
    const pair = async (): Promise<string[]> => {
      const { amphorae } = await phoenix.get<{ amphorae: Amphora[] }>('octavia/amphorae')
      expect(amphorae.map((row) => row.status)).toEqual(['ALLOCATED', 'ALLOCATED'])
      expect(amphorae.map((row) => row.role).toSorted()).toEqual(['BACKUP', 'MASTER'])
      return amphorae.map((row) => row.id)
    }

    const vip_subnet_id = await vipSubnet((await phoenix.serve()).client)
    const listeners = [{ protocol: 'HTTP', protocol_port: 80 }]
    const loadbalancer = { vip_subnet_id, listeners }
    await change('POST', 'lbaas/loadbalancers', { loadbalancer })
    const lb = await only()
    const old = await pair()
    await change('PUT', `lbaas/loadbalancers/${lb}/failover`)
    expect((await pair()).filter((id) => old.includes(id))).toEqual([])
    const [replaced = ''] = await pair()
    await change('PUT', `octavia/amphorae/${replaced}/failover`)
    expect(await pair()).not.toContain(replaced)
    expect(await only()).toBe(lb)
    await change('DELETE', `lbaas/loadbalancers/${lb}?cascade=true`)

    const { jobs } = await phoenix.get<{ jobs: Job[] }>('octavia-lite/jobs?limit=100')
    expect(jobs.filter((job) => job.status !== 'DONE')).toEqual([])
    await phoenix.stop()
    const points = readFileSync(phoenix.log, 'utf8').trim().split('\n')
    expect(phoenix.deaths).toBe(points.length)
    expect(await leftovers(before)).toEqual([])
    lab.remove()
    const seen = (flow: string): ReadonlySet<string> =>
      new Set(
        points
          .map((line) => line.split(' '))
          .filter(([, name]) => name === flow)
          .map((words) => words.slice(2).join(' ')),
      )
    const amphorae = ['MASTER', 'BACKUP'].map((role) => ({ id: lb, role }))
    expect(seen('load-balancer-create')).toEqual(boundariesOf('load-balancer-create', { amphorae }))
    const replacements = amphorae.map((one) => ({ ...one, replaces: [lb] }))
    const one = boundariesOf('amphora-failover', { replacements: replacements.slice(0, 1) })
    expect(seen('amphora-failover')).toEqual(one)
    // Its first job asks for the order; the two that follow do the same as for one amphora.
    const ordering = boundariesOf('load-balancer-failover', { replacements })
    expect(seen('load-balancer-failover')).toEqual(ordering.union(one))
    process.stdout.write(`\nSIGKILL at ${points.length} points of a pair\n`)
  },
  2_400_000,
)
