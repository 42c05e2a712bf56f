/**
 * What Octavia has and the amphorae of this release do not carry yet. It is asked before anything
 * is rendered, so that nothing is left out silently. Pure.
 */
import type { ListenerProtocol } from '../../model/listener.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { presentListeners } from './served.ts'

const MISSING: readonly ListenerProtocol[] = ['PROMETHEUS']

/** The first such thing in words, `PROMETHEUS listeners`; undefined when all of it is carried. */
export function findUncarried(tree: LoadBalancerTree): string | undefined {
  const listener = presentListeners(tree).find(({ protocol }) => MISSING.includes(protocol))
  return listener === undefined ? undefined : `${listener.protocol} listeners`
}
