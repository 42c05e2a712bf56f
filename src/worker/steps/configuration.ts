import { CertificatesRefused } from '../../driver/amphora.ts'
import type { Amphora } from '../../model/amphora.ts'
import type { Json } from '../../model/field.ts'
import { listener } from '../../model/listener.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { updateRows } from '../../store/repository.ts'
import { timestamp } from '../../system/clock.ts'
import type { Context, WorkerStep } from '../world.ts'
import { loadTree, serving } from './amphorae.ts'
import { type Findings, type ResolvedTls, resolveTls, withoutRefused } from './certificates.ts'
import { inAmphorae } from './imaginary.ts'
import { agentRetry } from './retries.ts'

interface Input {
  readonly load_balancer_id: string
}

/** Which of its amphorae are told, and how one of them is. */
export interface Telling {
  readonly which: (tree: LoadBalancerTree, context: Context) => readonly Amphora[]
  readonly tell: (context: Context, row: Amphora, push: () => Promise<void>) => Promise<void>
}

const SERVING: Telling = { which: serving, tell: (_context, _row, push) => push() }

/**
 * Makes every serving amphora serve the tree as it is now, without the listeners whose certificates
 * cannot be used: those are in ERROR, and all others go on. One amphora after the other: those of a
 * pair must not reload at the same time.
 */
export function updateListeners(
  { load_balancer_id }: Input,
  telling: Partial<Telling> = {},
): WorkerStep {
  const { which, tell } = { ...SERVING, ...telling }
  return {
    name: 'update-listeners',
    retry: agentRetry,
    imaginary: inAmphorae,
    act: async (context) => {
      const whole = await loadTree(context, load_balancer_id)
      let resolved = await resolveTls(context, whole)
      for (const row of which(whole, context))
        await tell(context, row, async () => {
          resolved = await push(context, row, resolved)
        })
      const { left_out, notes } = resolved
      return left_out.length + notes.length === 0 ? undefined : { left_out, notes }
    },
    hasRows: (result) => result !== undefined,
    rows: async (tx, { world, log }, result) => {
      const { left_out, notes } = findingsIn(result)
      for (const note of notes) log.warning(note)
      await updateRows(
        tx,
        listener,
        { id: left_out },
        {
          provisioning_status: 'ERROR',
          operating_status: 'ERROR',
          updated_at: timestamp(world.clock.now()),
        },
      )
    },
    notes: (result) => findingsIn(result).notes,
  }
}

/** Each time something is refused there are fewer listeners, so this ends. */
async function push({ world }: Context, row: Amphora, resolved: ResolvedTls): Promise<ResolvedTls> {
  for (let now = resolved; ; )
    try {
      await world.amphora.updateListeners(row, now.tree, now.tls)
      return now
    } catch (error) {
      if (!(error instanceof CertificatesRefused)) throw error
      now = withoutRefused(now, error.refused)
    }
}

function findingsIn(result: Json | undefined): Findings {
  return (result ?? { left_out: [], notes: [] }) as Findings
}

/**
 * For amphorae that are new: one without listeners has nothing to be told. What they serve is
 * ACTIVE then, also where it was in ERROR before.
 */
export function updateFirstListeners(input: Input, telling: Partial<Telling> = {}): WorkerStep {
  const { hasRows: _, ...step } = updateListeners(input, telling)
  return {
    ...step,
    act: async (context) => {
      const tree = await loadTree(context, input.load_balancer_id)
      return tree.listeners.length === 0 ? undefined : step.act?.(context)
    },
    rows: async (tx, context, result) => {
      await updateRows(
        tx,
        listener,
        { loadbalancer_id: input.load_balancer_id, provisioning_status: 'ERROR' },
        { provisioning_status: 'ACTIVE', updated_at: timestamp(context.world.clock.now()) },
      )
      await step.rows?.(tx, context, result)
    },
  }
}
