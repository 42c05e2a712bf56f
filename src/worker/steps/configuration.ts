import type { Refusal } from '../../driver/amphora.ts'
import type { Amphora } from '../../model/amphora.ts'
import type { Json } from '../../model/field.ts'
import { listener } from '../../model/listener.ts'
import { isPending } from '../../model/status.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { updateRows } from '../../store/repository.ts'
import type { Tx } from '../../store/store.ts'
import { timestamp } from '../../system/clock.ts'
import type { Context, WorkerStep } from '../world.ts'
import { loadTree, serving } from './amphorae.ts'
import { type ResolvedTls, resolveTls } from './certificates.ts'
import { inAmphorae } from './imaginary.ts'
import { agentRetry } from './retries.ts'

interface Input {
  readonly load_balancer_id: string
}

/** Which of its amphorae are told, how one of them is, and what becomes of the change. */
export interface Telling {
  readonly which: (tree: LoadBalancerTree, context: Context) => readonly Amphora[]
  readonly tell: (context: Context, row: Amphora, push: () => Promise<void>) => Promise<void>
  /** Rows of a change that an amphora refuses: a listener that it is about goes on as it was. */
  readonly refused: (tx: Tx, now: number) => Promise<void>
}

const SERVING: Telling = {
  which: serving,
  tell: (_context, _row, push) => push(),
  refused: async () => {},
}

export type Findings = {
  /** Ids of listeners that are not served. */
  readonly left_out: readonly string[]
  /** Those that are served as they were before. */
  readonly kept: readonly string[]
  /** Whether the change that this belongs to is about one of those. */
  readonly refused: boolean
  /** Sentences: what cannot be used, and what should be renewed. */
  readonly notes: readonly string[]
}
export const NO_FINDINGS: Findings = { left_out: [], kept: [], refused: false, notes: [] }

/**
 * Makes every serving amphora serve the tree as it is now, without the listeners whose certificates
 * cannot be used, and with those that it refuses as they were: these are in ERROR, and all others
 * go on. One amphora after the other: those of a pair must not reload at the same time.
 */
export function updateListeners(
  { load_balancer_id }: Input,
  telling: Partial<Telling> = {},
): WorkerStep {
  const { which, tell, refused } = { ...SERVING, ...telling }
  return {
    name: 'update-listeners',
    retry: agentRetry,
    imaginary: inAmphorae,
    act: async (context) => {
      const whole = await loadTree(context, load_balancer_id)
      const resolved = await resolveTls(context, whole)
      const refusals: ReadonlyMap<string, Refusal>[] = []
      for (const row of which(whole, context))
        await tell(context, row, async () => {
          const { tree, tls } = resolved
          refusals.push(await context.world.amphora.updateListeners(row, tree, tls))
        })
      const findings = find(whole, resolved, refusals)
      return findings.left_out.length + findings.notes.length === 0 ? undefined : findings
    },
    hasRows: (result) => result !== undefined,
    rows: async (tx, { world, log }, result) => {
      const findings = findingsIn(result)
      for (const note of findings.notes) log.warning(note)
      const now = world.clock.now()
      const failed = { provisioning_status: 'ERROR', updated_at: timestamp(now) } as const
      await updateRows(tx, listener, { id: findings.kept }, failed)
      const silent = { ...failed, operating_status: 'ERROR' } as const
      await updateRows(tx, listener, { id: findings.left_out }, silent)
      if (findings.refused) await refused(tx, now)
    },
    notes: (result) => findingsIn(result).notes,
  }
}

/** What one of the amphorae does not serve is not served. */
function find(
  { listeners }: LoadBalancerTree,
  { unusable, notes }: ResolvedTls,
  refusals: readonly ReadonlyMap<string, Refusal>[],
): Findings {
  const left_out = new Map(unusable)
  const kept = new Map<string, string>()
  for (const [id, { why, served }] of refusals.flatMap((each) => [...each]))
    (served ? kept : left_out).set(id, why)
  for (const id of left_out.keys()) kept.delete(id)
  const pending = listeners.filter((each) => isPending(each.provisioning_status))
  return {
    left_out: [...left_out.keys()],
    kept: [...kept.keys()],
    refused: pending.some(({ id }) => kept.has(id)),
    notes: [
      ...notes,
      ...[...left_out].map(([id, why]) => `listener ${id} is not served: ${why}`),
      ...[...kept].map(([id, why]) => `listener ${id} goes on as it was: ${why}`),
    ],
  }
}

function findingsIn(result: Json | undefined): Findings {
  return { ...NO_FINDINGS, ...((result ?? {}) as Partial<Findings>) }
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
