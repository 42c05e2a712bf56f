/** A health monitor as keepalived checks a member. Source: macros of octavia/common/jinja/lvs/. */
import { atLeastSecond, type HealthMonitor, HTTP_FALLBACKS } from '../../model/health-monitor.ts'
import type { Member } from '../../model/member.ts'
import type { PoolTree } from '../../model/tree.ts'
import { type Block, line, quotedPath } from './line.ts'

export function activeMonitor(pool: PoolTree): HealthMonitor | undefined {
  const monitor = pool.healthmonitor
  if (monitor === null || !monitor.admin_state_up) return undefined
  return monitor.provisioning_status === 'PENDING_DELETE' ? undefined : monitor
}

/** undefined: keepalived has no check of that kind, and its members count as unchecked. */
export function renderCheck(monitor: HealthMonitor, member: Member): Block | undefined {
  const address = member.monitor_address ?? member.address
  const port = member.monitor_port ?? member.protocol_port
  const timeout_s = atLeastSecond(monitor.timeout)
  const connect = [
    line`connect_ip ${address}`,
    line`connect_port ${port}`,
    line`connect_timeout ${timeout_s}`,
  ]
  switch (monitor.type) {
    case 'UDP-CONNECT':
      // Silence is good, and a port that is reported closed is not: keepalived's own check, where
      // upstream starts a program. The comment has the word by which its agent knows that there is
      // a check.
      return { head: line`UDP_CHECK`, parts: [line`# in place of MISC_CHECK`, ...connect] }
    case 'SCTP':
      return {
        head: line`MISC_CHECK`,
        parts: [
          line`misc_path "amphora-health-checker sctp -t ${timeout_s} ${address} ${port}"`,
          // The program itself says what it waited for in vain.
          line`misc_timeout ${timeout_s + 1}`,
        ],
      }
    case 'TCP':
      return { head: line`TCP_CHECK`, parts: connect }
    case 'HTTP':
      // keepalived asks by GET only.
      if ((monitor.http_method ?? HTTP_FALLBACKS.http_method) !== 'GET') return undefined
      return { head: line`HTTP_GET`, parts: [...httpParts(monitor), ...connect] }
    default:
      return undefined
  }
}

/**
 * One URL with all the codes. Upstream renders one URL per code, but keepalived wants every URL to
 * be right, so a member could never pass there with two codes; it also leaves out version and name.
 */
function httpParts(monitor: HealthMonitor): readonly (Block | ReturnType<typeof line>)[] {
  const codes = (monitor.expected_codes ?? HTTP_FALLBACKS.expected_codes).split(',')
  const version = monitor.http_version
  return [
    {
      head: line`url`,
      parts: [
        line`path ${quotedPath(monitor.url_path ?? HTTP_FALLBACKS.url_path)}`,
        codes
          .map((code) => line`${code.trim()}`)
          .reduce((all, code) => line`${all} ${code}`, line`status_code`),
        ...(monitor.domain_name === null ? [] : [line`virtualhost ${monitor.domain_name}`]),
      ],
    },
    ...(version === null ? [] : [line`http_protocol ${version.toFixed(1)}`]),
  ]
}
