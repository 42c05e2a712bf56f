/** Names of [api_settings] enabled_provider_drivers to providers. */
import { fault } from '../model/fault.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { findColumns } from '../store/repository.ts'
import type { Db, Tx } from '../store/store.ts'
import type { Enqueue, FlowName } from '../worker/catalogue.ts'
import { amphoraProvider } from './amphora.ts'
import { noopProvider } from './noop.ts'
import type { Provider } from './provider.ts'

const PROVIDERS: Readonly<Record<string, Provider>> = {
  amphora: amphoraProvider,
  octavia: amphoraProvider,
  noop_driver: noopProvider,
  'noop_driver-alt': noopProvider,
}

export function findProvider(name: string): Provider | undefined {
  return Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined
}

/** Throws 501 for a name that may be enabled but is none of ours. */
export function getProvider(name: string): Provider {
  const found = findProvider(name)
  if (found === undefined) throw fault.providerNotFound(name)
  return found
}

/** A row without a name is from before there were providers. */
export async function providerOf(db: Db, load_balancer_id: string): Promise<Provider> {
  const [row] = await findColumns(db, loadBalancer, ['provider'], { id: load_balancer_id })
  return getProvider(row?.provider ?? 'amphora')
}

/** Gives the change of a load balancer or of its children to its provider. */
export async function handOver<N extends FlowName>(
  tx: Tx,
  job: Enqueue<N> & { readonly input: { readonly load_balancer_id: string } },
  now: number,
): Promise<void> {
  const provider = await providerOf(tx, job.input.load_balancer_id)
  await provider.carryOut(tx, job, now)
}
