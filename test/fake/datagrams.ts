/** UDP in memory: what a test sends arrives at once, and the socket can be made to fail. */
import type { DatagramHandlers, Datagrams } from '../../src/system/datagram.ts'

export interface FakeDatagrams extends Datagrams {
  send(bytes: Uint8Array): void
  /** As when the kernel reports an error on the socket. */
  fail(error: Error): void
  readonly open: boolean
  /** Makes that many following binds fail. */
  refuse(binds: number): void
}

export function createFakeDatagrams(): FakeDatagrams {
  let handlers: DatagramHandlers | undefined
  let refusals = 0
  return {
    async listen(options, given) {
      if (refusals > 0) {
        refusals--
        throw new Error('address in use')
      }
      handlers = given
      return {
        ...options,
        close: async () => {
          handlers = undefined
        },
      }
    },
    send: (bytes) => handlers?.datagram(bytes),
    fail: (error) => {
      const failed = handlers
      handlers = undefined
      failed?.failed(error)
    },
    get open() {
      return handlers !== undefined
    },
    refuse: (binds) => {
      refusals = binds
    },
  }
}
