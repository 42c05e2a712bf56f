/**
 * The security group of a VIP, `lb-<load balancer>` in our own project: made when the first port
 * needs it, without any rule that lets something in.
 */
import { DriverError } from '../error.ts'
import type { VipRule, VipTarget } from '../network.ts'
import { OCTAVIA_OWNER, vipDeviceId } from '../port-names.ts'
import { planGroupChange, planGroupRules, toRuleBody } from './group-rules.ts'
import { text } from './json.ts'
import { markOf } from './mark.ts'
import { type Doing, type NeutronPort, toGroupRule, toNeutronPort } from './neutron.ts'
import type { NeutronDeps } from './neutron-deps.ts'
import { ServiceRefusal } from './refusal.ts'

/** Its id; undefined where there is none, or Neutron has no security groups. */
export async function findVipGroup(
  { neutron, projectId }: NeutronDeps,
  load_balancer_id: string,
  doing: Doing,
): Promise<string | undefined> {
  if (!(await neutron.has('security-group'))) return undefined
  const project_id = await projectId()
  // Somebody else's group of that name is not looked at.
  const filter = {
    name: vipDeviceId(load_balancer_id),
    ...(project_id === null ? {} : { project_id }),
  }
  const groups = await neutron.list('security-groups', filter, doing)
  return groups.map(({ id }) => text(id) ?? '').toSorted()[0]
}

/** undefined where Neutron has no security groups. */
export async function ensureVipGroup(
  deps: NeutronDeps,
  load_balancer_id: string,
  doing: Doing,
): Promise<string | undefined> {
  if (!(await deps.neutron.has('security-group'))) return undefined
  const found = await findVipGroup(deps, load_balancer_id, doing)
  if (found !== undefined) return found
  const values = {
    name: vipDeviceId(load_balancer_id),
    description: `Octavia load balancer ${load_balancer_id} (${markOf(deps.options.deployment)})`,
  }
  return text((await deps.neutron.create('security-groups', values, doing)).id)
}

export async function setVipTraffic(
  deps: NeutronDeps,
  target: VipTarget,
  rules: readonly VipRule[],
): Promise<void> {
  const { neutron } = deps
  const { load_balancer_id, vip, amphora_port_ids, security_group_ids, qos_policy_id } = target
  const doing = { operation: 'set-vip-rules', subject: `load balancer ${load_balancer_id}` }
  // To take rules away no group is made: what refused it before would refuse that, too.
  const takesAway = rules.length === 0 && amphora_port_ids.length === 0
  const vipGroup = takesAway ? findVipGroup : ensureVipGroup
  const group = await vipGroup(deps, load_balancer_id, doing)
  if (group !== undefined) {
    const rows = await neutron.list('security-group-rules', { security_group_id: group }, doing)
    const wanted = planGroupRules(rules, vip)
    const { create, remove } = planGroupChange(wanted, rows.map(toGroupRule), group)
    // What is let in from now on first, so that a rule that changes its form lets no gap.
    for (const rule of create) {
      const body = toRuleBody(rule, group)
      await orExisting(neutron.create('security-group-rules', body, doing))
    }
    for (const id of remove) await neutron.remove('security-group-rules', id, doing)
  }
  const groups = group === undefined ? [] : [group, ...security_group_ids]
  for (const id of new Set([vip.port_id, ...amphora_port_ids])) {
    const row = await neutron.find('ports', id)
    if (row === undefined && takesAway) continue
    if (row === undefined) throw gone(doing, id)
    const port = toNeutronPort(row)
    const qos = id === vip.port_id ? port.qos_policy_id : qos_policy_id
    const changes = changesOf(port, groupsOf(port, groups, security_group_ids), qos)
    if (Object.keys(changes).length > 0) await neutron.update('ports', id, changes, doing)
  }
}

/** A port of the user keeps his groups beside ours, unless he chose some for the VIP. */
function groupsOf(
  port: NeutronPort,
  groups: readonly string[],
  chosen: readonly string[],
): readonly string[] {
  const adopted = port.device_id.startsWith('lb-') && port.device_owner !== OCTAVIA_OWNER
  return adopted && chosen.length === 0
    ? [...new Set([...port.security_groups, ...groups])]
    : groups
}

/** Only what differs: a port without port security refuses to hear of groups. */
function changesOf(
  port: NeutronPort,
  groups: readonly string[],
  qos_policy_id: string | null,
): Readonly<Record<string, unknown>> {
  const differ = groups.toSorted().join() !== port.security_groups.toSorted().join()
  return {
    ...(groups.length > 0 && port.port_security_enabled && differ
      ? { security_groups: groups }
      : {}),
    ...(port.qos_policy_id === qos_policy_id ? {} : { qos_policy_id }),
  }
}

/** A rule that somebody else made meanwhile is as good. */
async function orExisting(creating: Promise<unknown>): Promise<void> {
  try {
    await creating
  } catch (error) {
    if (!(error instanceof ServiceRefusal) || error.type !== 'SecurityGroupRuleExists') throw error
  }
}

function gone(doing: Doing, id: string): DriverError {
  return new DriverError({
    ...doing,
    reason: `port ${id} is gone`,
    hint: 'a failover makes the ports of the load balancer again',
    retryable: false,
  })
}

/** Ports of ours that are left over go with it: nobody else can have put them into it. */
export async function deleteVipGroup(
  { neutron, projectId }: NeutronDeps,
  id: string,
  doing: Doing,
): Promise<void> {
  const project_id = await projectId()
  if (project_id !== null)
    for (const row of await neutron.list('ports', { project_id, security_groups: id }, doing)) {
      const port = toNeutronPort(row)
      if (port.security_groups.includes(id) && port.name.startsWith('octavia-lb-'))
        await neutron.remove('ports', port.id, doing)
    }
  await neutron.remove('security-groups', id, doing)
}
