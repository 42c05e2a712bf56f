/** The provider of amphorae: a change is a job of the worker, which also sets the statuses. */
import { enqueue } from '../worker/catalogue.ts'
import type { Provider } from './provider.ts'

export const amphoraProvider: Provider = {
  carryOut: async (tx, job, now) => void (await enqueue(tx, job, now)),
  createVipPort: null,
  limited: true,
  reports: false,
}
