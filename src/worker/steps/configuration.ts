import type { WorkerStep } from '../world.ts'
import { loadTree, serving } from './amphorae.ts'
import { agentRetry } from './retries.ts'

interface Input {
  readonly load_balancer_id: string
}

/**
 * Makes every serving amphora serve the tree as it is now. One amphora after the other: those of a
 * pair must not reload at the same time.
 */
export function updateListeners({ load_balancer_id }: Input): WorkerStep {
  return {
    name: 'update-listeners',
    retry: agentRetry,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      for (const row of serving(tree)) await context.world.amphora.updateListeners(row, tree)
      return undefined
    },
  }
}

/** For a new load balancer: an amphora without listeners has nothing to be told. */
export function updateFirstListeners(input: Input): WorkerStep {
  const step = updateListeners(input)
  return {
    ...step,
    act: async (context) => {
      const tree = await loadTree(context, input.load_balancer_id)
      return tree.listeners.length === 0 ? undefined : step.act?.(context)
    },
  }
}
