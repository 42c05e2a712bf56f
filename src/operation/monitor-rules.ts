/**
 * Which health monitor fits which pool. Source: octavia/api/v2/controllers/health_monitor.py,
 * _validate_healthmonitor_request_for_udp_sctp. Pure.
 */
import { fault } from '../model/fault.ts'
import { DATAGRAM_ONLY_TYPES, DATAGRAM_TYPES, type HealthMonitor } from '../model/health-monitor.ts'
import { DATAGRAM_PROTOCOLS, type PoolProtocol } from '../model/pool.ts'

/** Options of [api_settings], under their names. */
export interface MonitorSettings {
  readonly allow_ping_health_monitors: boolean
  /** Seconds. */
  readonly udp_connect_min_interval_health_monitor: number
}

export function checkNewMonitor(
  values: Pick<HealthMonitor, 'type' | 'delay'>,
  protocol: PoolProtocol,
  settings: MonitorSettings,
): void {
  if (values.type === 'PING' && !settings.allow_ping_health_monitors)
    throw fault.disabledOption('type', values.type)
  if (DATAGRAM_PROTOCOLS.includes(protocol)) checkDatagram(values, protocol, settings)
  else if (DATAGRAM_ONLY_TYPES.includes(values.type))
    throw fault.validation(
      `The ${values.type} type is only supported for pools of type ${DATAGRAM_PROTOCOLS.join('/')}.`,
    )
}

function checkDatagram(
  { type, delay }: Pick<HealthMonitor, 'type' | 'delay'>,
  protocol: PoolProtocol,
  settings: MonitorSettings,
): void {
  if (!(DATAGRAM_TYPES as readonly string[]).includes(type))
    throw fault.validation(
      `The associated pool protocol is ${protocol}, so only a ${DATAGRAM_TYPES.join('/')} ` +
        'health monitor is supported.',
    )
  checkDelay(type, delay, settings)
}

export function checkDelay(
  type: HealthMonitor['type'],
  delay: number | undefined,
  { udp_connect_min_interval_health_monitor: least }: MonitorSettings,
): void {
  if (type === 'UDP-CONNECT' && delay !== undefined && delay < least)
    throw fault.validation(
      `The request delay value ${delay} should be larger than ${least} for UDP-CONNECT health ` +
        'monitor type.',
    )
}
