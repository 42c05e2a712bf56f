/**
 * What a failover of one of a pair does beyond that of a single amphora: the other one learns of
 * the new, the VIPs move while both have them, and the one that goes is forgotten.
 */
import { derivedId } from '../../driver/derived.ts'
import { DriverError } from '../../driver/error.ts'
import type { Amphora } from '../../model/amphora.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import type { Tx } from '../../store/store.ts'
import { enqueue, type FailoverInput, type Replacement } from '../catalogue.ts'
import type { Context, WorkerStep } from '../world.ts'
import { loadTree, serving } from './amphorae.ts'
import {
  type Findings,
  NO_FINDINGS,
  type Telling,
  updateFirstListeners,
  updateListeners,
} from './configuration.ts'
import { agentRetry } from './retries.ts'
import {
  type Answers,
  askAmphorae,
  reachable,
  updateVrrp,
  waitForVip,
  without,
  writeInterfaces,
} from './vrrp.ts'

interface Input {
  readonly load_balancer_id: string
  readonly replacement: Replacement
}

/** Which of the others answer, and which of all has the VIP. */
export function askOthers({ load_balancer_id, replacement }: Input): WorkerStep {
  return {
    name: 'ask-amphorae',
    act: async (context): Promise<Answers> => {
      const tree = await loadTree(context, load_balancer_id)
      const others = without(serving(tree), [replacement.id])
      return askAmphorae(context, tree, others, replacement.replaces)
    },
  }
}

/** The new one and, where `ask-amphorae` had an answer, the others. */
function answering(tree: LoadBalancerTree, context: Context): readonly Amphora[] {
  return reachable(serving(tree), context.result<Answers>('ask-amphorae'))
}

/**
 * An amphora that is there already must not keep the new one from being made: what it refuses is
 * told, and what one that goes cannot do is not waited for either.
 */
async function leniently(
  context: Context,
  { replacement }: Input,
  row: Amphora,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    const passing = error instanceof DriverError && error.retryable
    const goes = replacement.replaces.includes(row.id)
    if (row.id === replacement.id || !(error instanceof DriverError) || (passing && !goes))
      throw error
    context.log.warning('an amphora was not told of its new peer', { amphora_id: row.id, error })
  }
}

/**
 * The listeners of the new one, and in all of them a peer more, so that stick tables are there
 * before traffic is.
 */
export function introduceListeners(input: Input): WorkerStep {
  const tell: Telling['tell'] = (context, row, push) => leniently(context, input, row, push)
  return { ...updateFirstListeners(input, { which: answering, tell }), name: 'introduce-listeners' }
}

/**
 * First the others, because the one that has the VIPs speaks only to those it knows: a new one that
 * hears nobody would take them, too. Where it is to take them it does so from a living owner, which
 * gives them up when the new one has them.
 */
export function introduceVrrp(input: Input): WorkerStep {
  const { load_balancer_id } = input
  const { id, replaces } = input.replacement
  return {
    name: 'introduce-vrrp',
    retry: agentRetry,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      const rows = answering(tree, context)
      const { owner } = context.result<Answers>('ask-amphorae')
      for (const row of without(rows, [id]))
        await leniently(context, input, row, () => updateVrrp(context, tree, [row]))
      const made = rows.filter((row) => row.id === id)
      const takes = owner !== null && replaces.includes(owner)
      return updateVrrp(context, tree, made, takes ? { takes: id } : {})
    },
    rows: async (tx, { result }) => writeInterfaces(tx, result('introduce-vrrp')),
    undo: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      const old = without(serving(tree), [id])
      try {
        await updateVrrp(context, tree, without(answering(tree, context), [id]), { members: old })
      } catch (error) {
        // The new one, which they go on speaking to, is gone in a moment.
        context.log.warning('an amphora was not told of the end of its new peer', { error })
      }
    },
  }
}

/** One that stays has the VIPs. */
export function waitForNewOwner({ load_balancer_id, replacement }: Input): WorkerStep {
  const staying = (tree: LoadBalancerTree, context: Context) =>
    without(answering(tree, context), replacement.replaces)
  return waitForVip({ load_balancer_id }, staying)
}

/**
 * The one that went is nobody's peer any more. By now there is no way back, so what fails here is
 * left for the next change.
 */
export function forgetInListeners(input: Input): WorkerStep {
  const step = updateListeners(input, { which: answering })
  return {
    ...step,
    name: 'forget-in-listeners',
    act: async (context) => {
      const tree = await loadTree(context, input.load_balancer_id)
      return tree.listeners.length === 0 ? undefined : step.act?.(context)
    },
    forgive: (reason): Findings => ({ ...NO_FINDINGS, notes: [reason] }),
  }
}

/** Likewise; and the new one holds the VIPs by the usual rules. */
export function forgetInVrrp({ load_balancer_id }: Input): WorkerStep {
  return {
    name: 'forget-in-vrrp',
    retry: agentRetry,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      await updateVrrp(context, tree, answering(tree, context))
      return undefined
    },
    forgive: (reason) => reason,
  }
}

/**
 * An amphora which did not answer knows nothing of its new peer: should it live, both would have
 * the VIPs. So it is replaced next, once. Whether there is one.
 */
export async function replaceUnreachable(
  tx: Tx,
  flow: 'load-balancer-failover' | 'amphora-failover',
  { load_balancer_id, follow_up }: FailoverInput,
  context: Context,
): Promise<boolean> {
  const { unreachable } = context.result<Answers>('ask-amphorae')
  const rows = serving(await loadTree(context, load_balancer_id))
  const lost = rows.filter(({ id }) => unreachable.includes(id))
  if (follow_up === true || lost.length === 0) return false
  const replacements = lost.map(({ id, role }) => ({
    id: derivedId('replacement', id),
    role: role ?? 'BACKUP',
    replaces: [id],
  }))
  const input = { load_balancer_id, replacements, ordered: true, follow_up: true }
  await enqueue(tx, { flow, input, request_id: null }, context.world.clock.now())
  return true
}

/** Puts the amphora that has the VIPs last, and those which do not answer first. */
export function askForOrder({
  load_balancer_id,
}: {
  readonly load_balancer_id: string
}): WorkerStep {
  return {
    name: 'ask-amphorae',
    act: async (context): Promise<Answers> => {
      const tree = await loadTree(context, load_balancer_id)
      return askAmphorae(context, tree, serving(tree), [])
    },
  }
}

export function inOrder(
  replacements: readonly Replacement[],
  { unreachable, owner }: Answers,
): readonly Replacement[] {
  const rank = ({ replaces }: Replacement): number => {
    if (owner !== null && replaces.includes(owner)) return 2
    return replaces.some((id) => !unreachable.includes(id)) ? 1 : 0
  }
  return replacements.toSorted((a, b) => rank(a) - rank(b))
}
