/** One task at a time, in order, with a limit on how many may wait. */
export class Busy extends Error {
  override readonly name = 'Busy'
}

export type Serial = <T>(task: () => Promise<T>) => Promise<T>

export function createSerial(waitingMax: number): Serial {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return async (task) => {
    if (waiting >= waitingMax) throw new Busy('too many requests are waiting')
    waiting++
    const turn = last
    const { promise, resolve } = Promise.withResolvers<void>()
    last = promise
    try {
      await turn
      return await task()
    } finally {
      waiting--
      resolve()
    }
  }
}
