/**
 * What a provider driver asks for: one object with its children. Source:
 * octavia/api/drivers/driver_agent/driver_get.py.
 */
import { isObject, type Json } from '../../model/field.ts'
import { flavor, flavorProfile } from '../../model/flavor.ts'
import { healthMonitor } from '../../model/health-monitor.ts'
import { l7policy } from '../../model/l7policy.ts'
import { l7rule } from '../../model/l7rule.ts'
import { listener } from '../../model/listener.ts'
import { member } from '../../model/member.ts'
import { pool } from '../../model/pool.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { findRow, findRows } from '../../store/repository.ts'
import type { Db } from '../../store/store.ts'
import { findTree } from '../../store/tree.ts'
import { type Refused, refuse } from './answer.ts'
import {
  type DataModel,
  healthMonitorModel,
  l7policyModel,
  l7ruleModel,
  listenerModel,
  loadBalancerModel,
  memberModel,
  poolModel,
} from './data-model.ts'

const FINDERS: Readonly<Record<string, (db: Db, id: string) => Promise<DataModel | undefined>>> = {
  loadbalancers: async (db, id) => {
    const tree = await findTree(db, id)
    return tree === undefined || tree.provisioning_status === 'DELETED'
      ? undefined
      : loadBalancerModel(tree, await flavorDataOf(db, tree.flavor_id))
  },
  listeners: async (db, id) => {
    const tree = await treeOf(db, (await findRow(db, listener, id))?.loadbalancer_id)
    const row = tree?.listeners.find((each) => each.id === id)
    return tree === undefined || row === undefined ? undefined : listenerModel(tree, row)
  },
  pools: async (db, id) => {
    const tree = await treeOf(db, (await findRow(db, pool, id))?.loadbalancer_id)
    const row = tree?.pools.find((each) => each.id === id)
    return tree === undefined || row === undefined ? undefined : poolModel(tree, row)
  },
  members: async (db, id) => {
    const row = await findRow(db, member, id)
    return row === undefined ? undefined : memberModel(row)
  },
  healthmonitors: async (db, id) => {
    const row = await findRow(db, healthMonitor, id)
    return row === undefined ? undefined : healthMonitorModel(row)
  },
  l7policies: async (db, id) => {
    const row = await findRow(db, l7policy, id)
    if (row === undefined) return undefined
    return l7policyModel({ ...row, rules: await findRows(db, l7rule, { l7policy_id: id }) })
  },
  l7rules: async (db, id) => {
    const row = await findRow(db, l7rule, id)
    return row === undefined ? undefined : l7ruleModel(row)
  },
}

/** `{}` for what is not there, and for kinds that are not known. */
export async function answerQuestion(db: Db, question: Json): Promise<DataModel | Refused> {
  if (!isObject(question)) return refuse('the request is not an object')
  const { object, id } = question
  for (const [name, value] of Object.entries({ object, id }))
    if (typeof value !== 'string')
      return refuse(value === undefined ? `'${name}'` : `${name} is not a string`)
  const find = Object.hasOwn(FINDERS, String(object)) ? FINDERS[String(object)] : undefined
  return (await find?.(db, String(id))) ?? {}
}

async function flavorDataOf(db: Db, flavor_id: string | null): Promise<Json> {
  const chosen = flavor_id === null ? undefined : await findRow(db, flavor, flavor_id)
  if (chosen === undefined) return null
  const profile = await findRow(db, flavorProfile, chosen.flavor_profile_id)
  return profile === undefined ? null : (JSON.parse(profile.flavor_data) as Json)
}

async function treeOf(
  db: Db,
  load_balancer_id: string | null | undefined,
): Promise<LoadBalancerTree | undefined> {
  return load_balancer_id ? await findTree(db, load_balancer_id) : undefined
}
