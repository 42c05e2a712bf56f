/**
 * `octavia-lite agent check`: the programs by which keepalived checks members of UDP and SCTP
 * pools. What upstream has as udp_check.sh and amphora-health-checker.
 */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { checkSctp } from './sctp-check.ts'

/** A closed port is reported by ICMP within a round trip. */
const UDP_PATIENCE_MS = 500

/** What is wrong with a member; undefined when nothing is. */
export type Finding = string | undefined

/** A datagram is sent; silence is good, and a port that is reported closed is not. */
export async function checkUdp(address: string, port: number): Promise<Finding> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  const { promise, resolve } = Promise.withResolvers<Finding>()
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  socket.connect(port, address, () => socket.send('X'))
  const timer = setTimeout(() => resolve(undefined), UDP_PATIENCE_MS)
  const finding = await promise
  clearTimeout(timer)
  socket.close()
  return finding
}

/** `udp ADDRESS PORT` or `sctp [-t SECONDS] ADDRESS PORT`; throws a sentence for other words. */
export function runCheck(args: readonly string[]): Promise<Finding> | Finding {
  const [protocol, ...rest] = args
  const timeout_s = rest[0] === '-t' ? Number(rest.splice(0, 2)[1]) : 3
  const [address = '', port = ''] = rest
  if (!(Number(port) > 0) || !(timeout_s > 0)) throw new Error(`cannot check ${args.join(' ')}`)
  if (protocol === 'udp') return checkUdp(address, Number(port))
  if (protocol === 'sctp') return checkSctp(address, Number(port), timeout_s * 1000)
  throw new Error(`cannot check ${args.join(' ')}`)
}
