/**
 * What runs in the virtual machine: serve with its local cloud, a load balancer with UDP and SCTP
 * listeners made by its API, members and clients. Prints one line per row of
 * lvs-serve.lab.test.ts.
 */
import { until } from '../harness.ts'
import type { RowName } from '../lvs-serve.lab.test.ts'
import { equal, print, runRows } from './guest-rows.ts'
import { PORTS } from './lvs-balancer.ts'
import { changes } from './lvs-changes.ts'
import { faults } from './lvs-faults.ts'
import { asked, BOTH, prepare, type Row, type World } from './lvs-world.ts'
import { untilSctpBy } from './members.ts'

/** Of a datagram `hello` and its answer `m1 hello`, with the headers of IPv4 and UDP. */
const BYTES = { in: 33, out: 36 } as const

const traffic = {
  'members become ONLINE by the checks of their pools': async ({ balancer }) => {
    for (const name of ['m1', 'm2']) await balancer.untilStatus(name, 'ONLINE')
  },
  'UDP by both members': async ({ balancer: { vip } }) => equal(await asked(vip, 8), 'm1 4, m2 4'),
  'UDP over IPv6': async ({ balancer, members: [, second] }) => {
    await balancer.addMember('udp', 'six', second.address6)
    await until('its member to answer', async () => (await asked(balancer.vip6, 1)) === 'm2 1')
    equal(await asked(balancer.vip6, 4), 'm2 4')
    equal(await asked(balancer.vip, 4), BOTH)
    await balancer.removeMember('udp', 'six')
  },
  'SCTP by both members': ({ balancer: { vip } }) => untilSctpBy(['m1', 'm2'], vip),
  'statistics of a UDP listener are what was sent': async ({ balancer }) => {
    // Nobody has asked here yet.
    equal(await asked(balancer.vip, 6, PORTS.tcp), 'm1 3, m2 3')
    await until('what was sent to be counted', async () => {
      const { total_connections, bytes_in, bytes_out } = await balancer.statistics('tcp')
      const counted = [total_connections, bytes_in, bytes_out]
      return String(counted) === String([6, 6 * BYTES.in, 6 * BYTES.out])
    })
  },
  'statistics of an SCTP listener': async ({ balancer }) => {
    await until('what was sent to be counted', async () => {
      const counted = await balancer.statistics('sctp')
      const { bytes_in = 0, bytes_out = 0, total_connections = 0 } = counted
      if (bytes_in === 0 || bytes_out === 0 || total_connections === 0) return false
      print(`# SCTP: ${bytes_in} bytes in, ${bytes_out} out, ${total_connections} connections`)
      return true
    })
  },
} satisfies Partial<Record<RowName, Row>>

const rows: Readonly<Record<RowName, Row>> = { ...traffic, ...changes, ...faults }
await runRows<World>(prepare, rows)
