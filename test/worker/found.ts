/** Scenarios by their names, and what histories have left in rows. */
import type { Fields, Resource } from '../../src/model/field.ts'
import { healthMonitor } from '../../src/model/health-monitor.ts'
import { l7policy } from '../../src/model/l7policy.ts'
import { l7rule } from '../../src/model/l7rule.ts'
import { listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { member } from '../../src/model/member.ts'
import { pool } from '../../src/model/pool.ts'
import { findRows } from '../../src/store/repository.ts'
import { type History, ID, SCENARIOS, type Scenario } from './scenarios.ts'

export const named = (name: string): Scenario => {
  const found = SCENARIOS.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no scenario ${name}`)
  return found
}

/** `id-name status operating_status` of everything that is provisioned. */
export async function statuses({ store }: History): Promise<Record<string, string>> {
  const names = new Map(Object.entries(ID).map(([name, id]) => [id, name]))
  const out: Record<string, string> = {}
  const resources: Resource<Fields>[] = [
    ...[loadBalancer, listener, pool, member, healthMonitor],
    ...[l7policy, l7rule],
  ]
  for (const resource of resources)
    for (const row of await findRows(store.read, resource, {}))
      out[names.get(row.id) ?? 'lb'] = `${row.provisioning_status} ${row.operating_status}`
  return out
}
