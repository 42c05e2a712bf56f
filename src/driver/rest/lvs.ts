/** UDP and SCTP listeners on one agent: a keepalived configuration each. */
import { type AgentClient, AgentRefusal, unlessAbsent } from '../../contract/client.ts'
import { isLvsListener, renderLvs } from '../../dataplane/keepalived/lvs.ts'
import type { Listener } from '../../model/listener.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import type { Refusal } from '../amphora.ts'

/** Tries all of them before it fails by the first that an agent could not be told of. */
export async function updateLvsListeners(
  client: AgentClient,
  amphora_id: string,
  tree: LoadBalancerTree,
): Promise<ReadonlyMap<string, Refusal>> {
  const refused = new Map<string, Refusal>()
  const failures: unknown[] = []
  for (const listener of tree.listeners.filter(isLvsListener))
    try {
      if (listener.provisioning_status === 'PENDING_DELETE')
        await client.call('remove', { object_id: listener.id })
      else {
        const refusal = await updateLvsListener(client, amphora_id, tree, listener)
        if (refusal !== undefined) refused.set(listener.id, refusal)
      }
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 0) throw failures[0]
  return refused
}

/** By these an agent says that keepalived or the kernel does not take it. */
const REFUSALS = [400, 500]

async function updateLvsListener(
  client: AgentClient,
  amphora_id: string,
  tree: LoadBalancerTree,
  listener: Listener,
): Promise<Refusal | undefined> {
  const text = renderLvs(tree, listener)
  const listener_id = listener.id
  const there = await unlessAbsent(() => client.call('getLvs', { listener_id }))
  let served = there !== undefined
  try {
    if (there?.value !== text) await client.call('uploadLvs', { amphora_id, listener_id }, text)
    served = false
    await client.call('control', { object_id: listener_id, action: 'reload' })
    return undefined
  } catch (error) {
    if (!(error instanceof AgentRefusal && REFUSALS.includes(error.status))) throw error
    return { why: error.message, served }
  }
}

/** Whatever the agent still has. */
export async function removeLvsListeners(client: AgentClient): Promise<void> {
  const { value } = await client.call('listListeners', {})
  for (const { type, uuid } of value)
    if (type === 'UDP') await client.call('remove', { object_id: uuid })
}
