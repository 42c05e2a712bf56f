/** What random load balancers are made of, and the options under which the API looks at them. */
import { HTTP_METHODS } from '../../src/model/health-monitor.ts'
import { TLS_SETTINGS } from './tree-tls.ts'

export const DEFAULTS = {
  ...{ timeout_client_data: 50_000, timeout_member_connect: 5_000 },
  ...{ timeout_member_data: 50_000, timeout_tcp_inspect: 0 },
} as const
export const SETTINGS = {
  ...TLS_SETTINGS,
  ...{ allow_tls_terminated_listeners: true, allow_prometheus_listeners: true },
  ...{ allow_ping_health_monitors: true, udp_connect_min_interval_health_monitor: 3 },
} as const

/** What haproxy, its tokenizer, its log formats and its regular expressions read specially. */
export const PIECES = [
  ...['a', 'B', '0', '-', '--', '.', '/', ':', ' ', '  ', '\t', '\\', '\\\\', "'", '"', '#', '%'],
  ...[
    '%[src]',
    '%{+Q}r',
    '$' + '{HOME}',
    '$',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ',',
    ';',
    '|',
    '&',
    '!',
  ],
  ...['-m', 'reg', 'if', 'unless', '\n', '\r', '\0', '\u00e9', '\u2028', '*', '+', '?', '^', '@'],
]
export const PLAIN: Readonly<Record<string, readonly unknown[]>> = {
  url_path: ['/', '/health?x=1', "/~a'b(c)%20"],
  domain_name: ['example.org', 'a_b.example'],
  expected_codes: ['200', '200,404', '200-204'],
  redirect_url: ['http://a.example/', 'https://a.example/%20?b=%[src]&c="d"'],
  redirect_prefix: ['http://a.example', "https://a.example/x'y"],
  redirect_http_code: [301, 302, 303, 307, 308],
  cookie_name: ['session', "a!#$%&'*+-.^_`|~"],
  key: ['X-Test', "x!#$%&'*+-.^_`|~", 'CN', 'O'],
  value: ['/a', 'www.example.org', '^/(a|b)\\d+$', '[a-z]+', '0', 'true', '-f', '(?i)x'],
  http_method: HTTP_METHODS,
  persistence_granularity: ['255.255.255.255', '255.255.0.0', 'ffff:ffff:ffff:ffff::'],
  address: ['10.0.0.1', '192.0.2.255', '2001:db8::1', '::ffff:10.0.0.1'],
  monitor_address: ['10.0.0.2', '2001:db8::2'],
}
