/**
 * Keeps the links of this machine as they should be. Whoever changes what should be calls
 * `reconcile` and waits; calls which come while one is under way share the next, so a burst of
 * changes is one look and one batch.
 */
import { applyIp, type Link, readLinks } from '../../system/ip.ts'
import { CommandError, type Processes } from '../../system/process.ts'
import { DriverError } from '../error.ts'
import { type DesiredLink, type LinkPlan, planLinks } from './links.ts'

export interface Reconciled {
  /** Every change, in words. */
  readonly changes: readonly string[]
  readonly foreign: readonly Link[]
  /** Link to what `ip` said, where it still is not as it should be. */
  readonly failed: ReadonlyMap<string, string>
}

export interface LinkKeeper {
  reconcile(): Promise<Reconciled>
  /** Reconciles, and throws a retryable DriverError unless the link is as it should be. */
  ensure(operation: string, link: string): Promise<Reconciled>
}

/** `desired` is asked right before it is compared with what is there. */
export function createLinkKeeper(
  deps: {
    readonly processes: Processes
    /** Told which links had to be made, before anyone who waits for them goes on. */
    readonly made: (links: ReadonlySet<string>) => void
  },
  deployment: string,
  desired: () => readonly DesiredLink[],
): LinkKeeper {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<Reconciled> | undefined
  const look = async (): Promise<LinkPlan> => {
    const actual = await readLinks(deps.processes)
    return planLinks(deployment, desired(), actual)
  }
  const reconcileOnce = async (): Promise<Reconciled> => {
    const plan = await look()
    const said = await apply(deps.processes, plan)
    // A batch goes on after a failure, so what failed is what another look still finds wrong.
    const left = said === undefined ? undefined : await look()
    deps.made(new Set(plan.changes.flatMap(({ link, what }) => (what === 'made' ? [link] : []))))
    return {
      changes: plan.changes.map(({ link, what }) => `${link}: ${what}`),
      foreign: plan.foreign,
      failed: new Map(left?.changes.map(({ link }) => [link, said ?? ''])),
    }
  }
  const reconcile = (): Promise<Reconciled> => {
    if (next !== undefined) return next
    const mine = running.then(() => {
      next = undefined
      return reconcileOnce()
    })
    next = mine
    running = mine.catch(() => {})
    return mine
  }
  return {
    reconcile,
    async ensure(operation, link) {
      const result = await reconcile()
      const foreign = result.foreign.some(({ name }) => name === link)
      const reason = foreign ? 'a link of this name is not ours' : result.failed.get(link)
      if (reason === undefined) return result
      throw new DriverError({ operation, subject: `link ${link}`, reason, retryable: true })
    },
  }
}

/** What `ip` said when a command failed. */
async function apply(processes: Processes, plan: LinkPlan): Promise<string | undefined> {
  try {
    await applyIp(
      processes,
      plan.changes.flatMap(({ commands }) => commands),
    )
    return undefined
  } catch (error) {
    if (error instanceof CommandError && error.result !== undefined) return error.message
    throw error
  }
}
