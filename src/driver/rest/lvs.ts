/** UDP and SCTP listeners on one agent: a keepalived configuration each. */
import { type AgentClient, AgentRefusal, unlessAbsent } from '../../contract/client.ts'
import { isLvsListener, renderLvs } from '../../dataplane/keepalived/lvs.ts'
import type { Listener } from '../../model/listener.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'

/**
 * Tries all of them before it reports the first that failed. One that is in ERROR already has been
 * reported: that the agent refuses it still must not fail the changes of others.
 */
export async function updateLvsListeners(
  client: AgentClient,
  amphora_id: string,
  tree: LoadBalancerTree,
): Promise<void> {
  const failures: unknown[] = []
  for (const listener of tree.listeners.filter(isLvsListener))
    try {
      if (listener.provisioning_status === 'PENDING_DELETE')
        await client.call('remove', { object_id: listener.id })
      else await updateLvsListener(client, amphora_id, tree, listener)
    } catch (error) {
      const refused = error instanceof AgentRefusal && !error.retryable
      if (!(refused && listener.provisioning_status === 'ERROR')) failures.push(error)
    }
  if (failures.length > 0) throw failures[0]
}

async function updateLvsListener(
  client: AgentClient,
  amphora_id: string,
  tree: LoadBalancerTree,
  listener: Listener,
): Promise<void> {
  const text = renderLvs(tree, listener)
  const listener_id = listener.id
  const there = await unlessAbsent(() => client.call('getLvs', { listener_id }))
  if (there?.value !== text) await client.call('uploadLvs', { amphora_id, listener_id }, text)
  await client.call('control', { object_id: listener_id, action: 'reload' })
}

/** Whatever the agent still has. */
export async function removeLvsListeners(client: AgentClient): Promise<void> {
  const { value } = await client.call('listListeners', {})
  for (const { type, uuid } of value)
    if (type === 'UDP') await client.call('remove', { object_id: uuid })
}
