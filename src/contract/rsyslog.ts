/**
 * The file by which rsyslog in an amphora sends logs to log servers: upstream's controller puts it
 * there at boot, and upstream's image obeys it. Rendered for such an image, and read where such a
 * controller drives our agent, which then sends the same lines itself. Pure.
 * Source: octavia/common/jinja/logging/templates/10-rsyslog.conf.template.
 */
import { assert } from '../system/assert.ts'
import {
  type AGENT_CONFIG_FALLBACKS,
  type AgentConfig,
  LOG_PROTOCOLS,
  parseController,
} from './agent-config.ts'

/** Where the controller puts it. */
export const RSYSLOG_PATH = '/etc/rsyslog.d/10-rsyslog.conf'
/** Where our image keeps it: the other folder is gone after a reboot. */
export const KEPT_RSYSLOG_PATH = '/etc/octavia/10-rsyslog.conf'
/** Where haproxy reaches rsyslog in upstream's amphorae; before Ussuri the other. */
export const RSYSLOG_SOCKET = '/run/rsyslog/octavia/log'
const OLD_SOCKET = '/dev/log'

export type LogSettings = Pick<
  AgentConfig,
  | 'tenant_log_targets'
  | 'admin_log_targets'
  | 'log_protocol'
  | 'log_retry_count'
  | 'log_retry_interval_s'
  | 'log_queue_size'
  | 'user_log_facility'
  | 'administrative_log_facility'
  | 'forward_all_logs'
>

const [TENANT, ADMIN] = ['tenant_forwarding', 'admin_forwarding'] as const

/** Empty where nobody wants logs. */
export function renderRsyslog(settings: LogSettings): string {
  const { tenant_log_targets, admin_log_targets, forward_all_logs } = settings
  const { user_log_facility: user, administrative_log_facility: administrative } = settings
  const admin = forward_all_logs ? `*.*;local${user}.none` : `local${administrative}.*`
  return [
    ...renderRoute(settings, TENANT, tenant_log_targets, `local${user}.=info`),
    ...renderRoute(settings, ADMIN, admin_log_targets, admin),
  ].join('')
}

/** The second server gets what the first does not take, and so on. */
function renderRoute(
  { log_protocol, log_retry_count, log_retry_interval_s, log_queue_size }: LogSettings,
  name: string,
  targets: readonly string[],
  selector: string,
): readonly string[] {
  if (targets.length === 0) return []
  const actions = targets.flatMap((text, at) => {
    const target = parseController(text)
    if (target === undefined) return []
    assert(/^[\w.:-]+$/.test(target.host), 'a log server is a name or an address')
    const retry = [
      `action.resumeRetryCount="${log_retry_count}"`,
      `action.resumeInterval="${log_retry_interval_s}"`,
      ...(at === 0 ? [] : ['action.execOnlyWhenPreviousIsSuspended="on"']),
    ]
    const to = `target="${target.host}" port="${target.port}" protocol="${log_protocol}"`
    return [`  action(type="omfwd" ${to} ${retry.join(' ')})\n`]
  })
  const queue = `queue.type="linkedList" queue.size="${log_queue_size}"`
  return [`ruleset(name="${name}" ${queue}) {\n`, ...actions, '}\n', `${selector} call ${name}\n`]
}

/** What it says; what it does not say, or says in another form, is left out. */
export function parseRsyslog(text: string): Partial<LogSettings> {
  const targetsOf = (name: string): readonly string[] =>
    [...rulesetOf(text, name).matchAll(/action\(([^)]*)\)/g)].flatMap(([, action = '']) => {
      const [host, port] = [attribute(action, 'target'), attribute(action, 'port')]
      const target = host?.includes(':') === true && !host.startsWith('[') ? `[${host}]` : host
      return parseController(`${target}:${port}`) === undefined ? [] : [`${target}:${port}`]
    })
  const facility = (pattern: RegExp, key: 'user_log_facility' | 'administrative_log_facility') => {
    const found = pattern.exec(text)?.[1]
    return found === undefined ? {} : { [key]: Number(found) }
  }
  const protocol = LOG_PROTOCOLS.find((each) => each === attribute(text, 'protocol'))
  return {
    tenant_log_targets: targetsOf(TENANT),
    admin_log_targets: targetsOf(ADMIN),
    ...(protocol === undefined ? {} : { log_protocol: protocol }),
    ...whole(text, 'action.resumeRetryCount', 'log_retry_count'),
    ...whole(text, 'action.resumeInterval', 'log_retry_interval_s'),
    ...whole(text, 'queue.size', 'log_queue_size'),
    ...facility(/^local([0-7])\.=info call tenant_forwarding/m, 'user_log_facility'),
    ...facility(/^local([0-7])\.\* call admin_forwarding/m, 'administrative_log_facility'),
    forward_all_logs: /^\*\.\*;\S+ call admin_forwarding/m.test(text),
  }
}

function rulesetOf(text: string, name: string): string {
  const from = text.indexOf(`ruleset(name="${name}"`)
  return from < 0 ? '' : text.slice(from, text.indexOf('\n}', from))
}

function attribute(text: string, name: string): string | undefined {
  return new RegExp(`\\b${name.replaceAll('.', '\\.')}="([^"]*)"`).exec(text)?.[1]
}

function whole<K extends keyof typeof AGENT_CONFIG_FALLBACKS>(text: string, name: string, key: K) {
  const value = Number(attribute(text, name))
  return Number.isInteger(value) && value >= 0 ? { [key]: value } : {}
}

/** A configuration that names no log server gets what that file says. */
export function withRsyslog(config: AgentConfig, text: string | undefined): AgentConfig {
  const isTold = config.tenant_log_targets.length + config.admin_log_targets.length > 0
  return text === undefined || isTold ? config : { ...config, ...parseRsyslog(text) }
}

/** Lines of haproxy's configuration that are for rsyslog, to the one who is there instead. */
export function redirectLogs(configuration: string, address: string | null): string {
  if (address === null) return configuration
  const sockets = new RegExp(`^(\\s*log )(?:${RSYSLOG_SOCKET}|${OLD_SOCKET})(?= )`, 'gm')
  return configuration.replace(sockets, `$1${address}`)
}
