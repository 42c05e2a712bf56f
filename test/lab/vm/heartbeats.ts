/** The controller's end of heartbeats: what the newest says of the members of pools. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { openHeartbeat } from '../../../src/contract/heartbeat.ts'
import { type Heartbeat, parseHeartbeat } from '../../../src/health/message.ts'
import { until } from '../harness.ts'
import { LVS_POOLS } from './amphora-tree.ts'
import { CONTROLLER, HEARTBEAT_KEY, PATIENCE_MS } from './amphora-world.ts'

export interface Heartbeats {
  /** One says this of the only member of each pool. */
  until(wanted: Readonly<Record<keyof typeof LVS_POOLS, string>>): Promise<void>
  close(): void
}

export async function createHeartbeats(): Promise<Heartbeats> {
  let newest: Heartbeat | undefined
  const socket = createSocket('udp4')
  socket.on('message', (datagram) => {
    const opened = openHeartbeat(datagram, HEARTBEAT_KEY)
    if (opened.ok) newest = parseHeartbeat(opened.message)
  })
  socket.bind(CONTROLLER.port, CONTROLLER.ip)
  await once(socket, 'listening')
  const statusOf = (pool_id: string): string | undefined =>
    [...(newest?.pools.get(pool_id)?.members.values() ?? [])][0]
  return {
    until: (wanted) => {
      const right = () =>
        Object.entries(LVS_POOLS).every(
          ([name, { id }]) => statusOf(id) === wanted[name as keyof typeof LVS_POOLS],
        )
      return until(`members to be ${JSON.stringify(wanted)}`, right, PATIENCE_MS)
    },
    close: () => socket.close(),
  }
}
