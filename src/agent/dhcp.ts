/**
 * Addresses by DHCP, for ports which the network service gives none: busybox's udhcpc, one for each
 * interface, in the namespace. Like haproxy it outlives the agent. What it sets carries the lease's
 * lifetime, so that the kernel takes it away when nobody renews it.
 */
import { writeFileAtomic } from '../system/files.ts'
import { type Processes, runOk } from '../system/process.ts'
import { type Daemon, daemonPid } from './daemon.ts'
import { NAMESPACE_PATH, type Paths } from './paths.ts'

/** So long a plug waits for a lease; afterwards udhcpc goes on by itself. */
const TRIES = 3
const TRY_S = 1
const LEASE_SCRIPT = `#!/bin/sh
# Written by octavia-lite agent, run by udhcpc.
case $1 in
  deconfig) ip -4 address flush dev "$interface" dynamic ;;
  bound|renew)
    lifetime="valid_lft \${lease:-forever} preferred_lft \${lease:-forever}"
    ip address replace "$ip/\${mask:-32}" dev "$interface" $lifetime
    for gateway in \${router:-}; do
      ip route replace default via "$gateway" dev "$interface" proto dhcp metric 200
      break
    done ;;
esac
`

export async function ensureDhcp(
  { processes, paths }: { readonly processes: Processes; readonly paths: Paths },
  name: string,
): Promise<void> {
  if (daemonPid(daemonOf(paths, name)) !== undefined) return
  const script = paths.leaseScript
  writeFileAtomic(script, LEASE_SCRIPT, 0o700)
  const limits = ['-t', String(TRIES), '-T', String(TRY_S), '-b']
  const files = ['-p', paths.dhcpPid(name), '-s', script]
  const enter = ['nsenter', `--net=${NAMESPACE_PATH}`]
  await runOk(processes, [...enter, 'busybox', 'udhcpc', '-i', name, ...files, ...limits])
}

function daemonOf(paths: Paths, name: string): Daemon {
  const path = paths.dhcpPid(name)
  return { pidFiles: [path], argument: path }
}
