import type { Amphora } from '../../model/amphora.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import type { WorkerStep } from '../world.ts'
import { loadTree, serving } from './amphorae.ts'
import { agentRetry } from './retries.ts'

interface Input {
  readonly load_balancer_id: string
}

/** Which of its amphorae are told. */
type Which = (tree: LoadBalancerTree) => readonly Amphora[]

/**
 * Makes every serving amphora serve the tree as it is now. One amphora after the other: those of a
 * pair must not reload at the same time.
 */
export function updateListeners({ load_balancer_id }: Input, which: Which = serving): WorkerStep {
  return {
    name: 'update-listeners',
    retry: agentRetry,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      for (const row of which(tree)) await context.world.amphora.updateListeners(row, tree)
      return undefined
    },
  }
}

/** For a new load balancer: an amphora without listeners has nothing to be told. */
export function updateFirstListeners(input: Input, which: Which = serving): WorkerStep {
  const step = updateListeners(input, which)
  return {
    ...step,
    act: async (context) => {
      const tree = await loadTree(context, input.load_balancer_id)
      return tree.listeners.length === 0 ? undefined : step.act?.(context)
    },
  }
}
