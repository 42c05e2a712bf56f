/** Lines of syslog as haproxy sends them: which they are, and how a log server gets them. Pure. */

/** `local0`, by its number. */
const LOCAL_0 = 16
const INFORMATIONAL = 6

export interface LogRouting {
  readonly user_log_facility: number
  readonly administrative_log_facility: number
  readonly forward_all_logs: boolean
}

export type LogKind = 'tenant' | 'admin'

export interface LogLine {
  readonly facility: number
  readonly severity: number
  /** With the name of the host, which haproxy leaves out. */
  readonly text: string
}

/** undefined for what is no line of syslog. */
export function parseLogLine(text: string, hostname: string): LogLine | undefined {
  const found = /^<(\d{1,3})>(\w{3} [ \d]\d \d\d:\d\d:\d\d) (.*)$/s.exec(text)
  if (found === null) return undefined
  const [, priority = '', time = '', rest = ''] = found
  // A line feed would be the end of the line for a log server that is reached by TCP.
  const message = rest.replace(/[\r\n\0]+/g, ' ').trimEnd()
  const [facility, severity] = [Number(priority) >> 3, Number(priority) & 7]
  return { facility, severity, text: `<${priority}>${time} ${hostname} ${message}` }
}

/**
 * Whose line it is; undefined where nobody asked for it. haproxy tells of itself to both
 * facilities, and that is not for the owner of a load balancer.
 */
export function kindOf(line: LogLine, routing: LogRouting): LogKind | undefined {
  const { facility, severity } = line
  if (facility === LOCAL_0 + routing.user_log_facility)
    return severity === INFORMATIONAL ? 'tenant' : undefined
  const administrative = facility === LOCAL_0 + routing.administrative_log_facility
  return administrative || routing.forward_all_logs ? 'admin' : undefined
}
