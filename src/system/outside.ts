import { AsyncLocalStorage } from 'node:async_hooks'
import { assert } from './assert.ts'

/**
 * A database transaction holds the one writer, so nothing outside may be awaited in it. The store
 * runs its transactions inside `duringTransaction`; processes and HTTP calls assert that they are
 * not.
 */
const transaction = new AsyncLocalStorage<true>()

export function duringTransaction<T>(body: () => Promise<T>): Promise<T> {
  return transaction.run(true, body)
}

export function assertNoTransaction(what: string): void {
  assert(transaction.getStore() === undefined, `${what} must not be called inside a transaction`)
}
