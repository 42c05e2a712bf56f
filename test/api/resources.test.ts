/** Protocols, TLS, certificates, monitors and VIP options: what is allowed beside what. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type {
  CertificateManager,
  CertificateMaterial,
} from '../../src/driver/certificate-manager.ts'
import { createCa } from '../../src/driver/local/certificate.ts'
import { createNoopCertificateManager } from '../../src/driver/noop/certificate-manager.ts'
import { HEALTH_MONITOR_TYPES } from '../../src/model/health-monitor.ts'
import { LISTENER_PROTOCOLS } from '../../src/model/listener.ts'
import { POOL_PROTOCOLS } from '../../src/model/pool.ts'
import {
  createHarness,
  type Harness,
  makeTree,
  QOS_POLICY,
  SECURITY_GROUP,
  SETTINGS,
  SUBNET,
  settle,
} from './harness.ts'
import { type Ids, play, type Scenario } from './scenario.ts'

const LB = '/v2.0/lbaas/loadbalancers'
const LISTENERS = '/v2.0/lbaas/listeners'
const POOLS = '/v2.0/lbaas/pools'
const MONITORS = '/v2.0/lbaas/healthmonitors'
const NIL = '00000000-0000-4000-8000-000000000000'
const TLS = { protocol: 'TERMINATED_HTTPS', default_tls_container_ref: 'cert' }

const postListener =
  (over: object) =>
  (ids: Ids): readonly [string, string, unknown] => [
    'POST',
    LISTENERS,
    { listener: { loadbalancer_id: ids.lb, protocol: 'TCP', protocol_port: 443, ...over } },
  ]
const postPool =
  (over: object) =>
  (ids: Ids): readonly [string, string, unknown] => [
    'POST',
    POOLS,
    { pool: { loadbalancer_id: ids.lb, protocol: 'TCP', lb_algorithm: 'SOURCE_IP', ...over } },
  ]
const putListener = (listener: object) => (ids: Ids) =>
  ['PUT', `${LISTENERS}/${ids.listener}`, { listener }] as const
const putPool = (pool: object) => (ids: Ids) => ['PUT', `${POOLS}/${ids.pool}`, { pool }] as const
const setRow = (table: string, values: object) => (harness: Harness) =>
  harness.store.transaction((tx) => tx.updateTable(table).set(values).execute())
const asTls = setRow('listener', { protocol: 'TERMINATED_HTTPS' })

type Refusal = readonly [
  name: string,
  request: Scenario['request'],
  fault: string,
  over?: Partial<Scenario>,
]
const refused = (rows: readonly Refusal[]): readonly Scenario[] =>
  rows.map(([name, request, fault, over]) => ({ name, request, fault, status: 400, ...over }))

const NEEDED =
  'Validation failure: An SNI or default certificate container reference must be provided'
const CIPHERS =
  'Validation failure: Invalid characters in cipher string. ' +
  'Only alphanumeric, -, +, !, :, @, =, _, and . are allowed.'
const PROHIBITED =
  'Validation failure: The following ciphers have been prohibited by an administrator: RC4'
const OLD = 'Validation failure: Requested TLS versions are less than the minimum: SSLv3 < TLSv1'
const NO_VERSIONS =
  'Validation failure: Empty TLS version list. Either specify at least one TLS version or ' +
  'remove this parameter to use the default.'
const NO_ALPN =
  'Validation failure: Empty ALPN protocol list. Either specify at least one ALPN protocol or ' +
  'remove this parameter to use the default.'
const HSTS =
  'Validation failure: The HSTS feature can only be used for listeners using the ' +
  'TERMINATED_HTTPS protocol.'

const LISTENER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a TLS listener has the operator’s defaults',
    request: postListener(TLS),
    status: 201,
    body: () => ({
      listener: {
        ...{ default_tls_container_ref: 'cert', client_authentication: 'NONE' },
        ...{ tls_ciphers: 'HIGH:!aNULL', tls_versions: ['TLSv1.2', 'TLSv1.3'] },
        alpn_protocols: ['h2', 'http/1.1'],
      },
    }),
  },
  {
    name: 'a TLS listener with all it can say',
    request: postListener({
      ...{ protocol: 'TERMINATED_HTTPS', sni_container_refs: ['a', 'b'] },
      ...{ client_ca_tls_container_ref: 'ca', client_crl_container_ref: 'crl' },
      ...{ client_authentication: 'MANDATORY', tls_ciphers: 'AES:!SHA1@STRENGTH' },
      ...{ tls_versions: ['TLSv1.3'], alpn_protocols: ['http/1.0'] },
      ...{ hsts_max_age: 1, hsts_include_subdomains: true, hsts_preload: true },
      insert_headers: { 'X-SSL-Client-DN': 'true', 'X-Real-IP': 'true' },
    }),
    status: 201,
    body: () => ({
      listener: {
        ...{ sni_container_refs: ['a', 'b'], client_authentication: 'MANDATORY' },
        ...{ tls_ciphers: 'AES:!SHA1@STRENGTH', tls_versions: ['TLSv1.3'] },
        ...{ alpn_protocols: ['http/1.0'], hsts_max_age: 1, hsts_preload: true },
      },
    }),
  },
  {
    name: 'other listeners have no TLS defaults',
    request: postListener({ protocol: 'HTTPS' }),
    status: 201,
    body: () => ({ listener: { tls_ciphers: null, tls_versions: null, alpn_protocols: null } }),
  },
  {
    name: 'TCP and UDP share a port',
    given: setRow('listener', { protocol_port: 443 }),
    request: postListener({ protocol: 'UDP' }),
    status: 201,
  },
  {
    name: 'UDP and SCTP share a port',
    given: setRow('listener', { protocol_port: 443, protocol: 'UDP' }),
    request: postListener({ protocol: 'SCTP' }),
    status: 201,
  },
  {
    name: 'PROMETHEUS and HTTP do not',
    given: setRow('listener', { protocol_port: 443 }),
    request: postListener({ protocol: 'PROMETHEUS' }),
    status: 409,
    fault:
      'Another Listener on this Load Balancer is already using protocol HTTP and protocol_port 443',
  },
  {
    name: 'nulls of a TLS listener are the defaults again, SNI is emptied',
    given: asTls,
    request: putListener({
      ...{ tls_ciphers: null, tls_versions: null, alpn_protocols: null, sni_container_refs: null },
      ...{ client_authentication: null, hsts_preload: null, connection_limit: null },
    }),
    status: 200,
    body: () => ({
      listener: {
        ...{ tls_ciphers: 'HIGH:!aNULL', tls_versions: ['TLSv1.2', 'TLSv1.3'] },
        ...{ alpn_protocols: ['h2', 'http/1.1'], sni_container_refs: [] },
        ...{ client_authentication: 'NONE', hsts_preload: false, connection_limit: -1 },
      },
    }),
  },
  {
    name: 'HSTS flags follow the stored age',
    given: setRow('listener', { protocol: 'TERMINATED_HTTPS', hsts_max_age: 9 }),
    request: putListener({ hsts_preload: true }),
    status: 200,
    body: () => ({ listener: { hsts_max_age: 9, hsts_preload: true } }),
  },
  ...refused([
    [
      'TLS without a certificate',
      postListener({ protocol: 'TERMINATED_HTTPS' }),
      `${NEEDED} for TERMINATED_HTTPS protocol listeners.`,
    ],
    [
      'a certificate in HTTP',
      postListener({ ...TLS, protocol: 'HTTP' }),
      'Validation failure: Certificate container references are not allowed on HTTP protocol listeners.',
    ],
    [
      'a certificate in UDP',
      postListener({ ...TLS, protocol: 'UDP' }),
      'Validation failure: UDP protocol listener does not support TLS.',
    ],
    [
      'headers in SCTP',
      postListener({ protocol: 'SCTP', insert_headers: { 'X-Forwarded-For': 'true' } }),
      'insert-headers is not a valid option for a SCTP protocol listener.',
    ],
    [
      'TLS headers in HTTP',
      postListener({ protocol: 'HTTP', insert_headers: { 'X-SSL-Issuer': 'true' } }),
      "['X-SSL-Issuer'] is not a valid option for HTTP protocol listener.",
    ],
    [
      'an unknown header',
      postListener({ ...TLS, insert_headers: { 'X-Evil': 'true' } }),
      "['X-Evil'] is not a valid option for insert_headers",
    ],
    [
      'a client CA without a certificate',
      postListener({ protocol: 'TCP', client_ca_tls_container_ref: 'ca' }),
      `${NEEDED} with a client CA container reference.`,
    ],
    [
      'client authentication without a CA',
      postListener({ ...TLS, client_authentication: 'OPTIONAL' }),
      'Validation failure: Client authentication setting OPTIONAL requires a client CA container reference.',
    ],
    [
      'a CRL without a CA',
      postListener({ ...TLS, client_crl_container_ref: 'crl' }),
      'Validation failure: A client authentication CA reference is required to specify a client authentication revocation list.',
    ],
    [
      'TLS that is switched off',
      postListener(TLS),
      'The selected protocol is not allowed in this deployment: TERMINATED_HTTPS',
      { settings: { allow_tls_terminated_listeners: false } },
    ],
    [
      'PROMETHEUS that is switched off',
      postListener({ protocol: 'PROMETHEUS' }),
      'The selected protocol is not allowed in this deployment: PROMETHEUS',
      { settings: { allow_prometheus_listeners: false } },
    ],
    [
      'PROMETHEUS with TLS that is switched off',
      postListener({ ...TLS, protocol: 'PROMETHEUS' }),
      'The selected protocol is not allowed in this deployment: PROMETHEUS with TLS',
      { settings: { allow_tls_terminated_listeners: false } },
    ],
    ['strange ciphers', postListener({ ...TLS, tls_ciphers: 'A;B' }), CIPHERS],
    ['prohibited ciphers', postListener({ ...TLS, tls_ciphers: 'AES:RC4' }), PROHIBITED],
    [
      'a prohibited cipher by an older name',
      postListener({ ...TLS, tls_ciphers: 'TLS13-AES-128-GCM-SHA256' }),
      'Validation failure: The following ciphers have been prohibited by an administrator: TLS13-AES-128-GCM-SHA256',
      { settings: { tls_cipher_prohibit_list: 'TLS_AES_128_GCM_SHA256' } },
    ],
    ['no TLS version', postListener({ ...TLS, tls_versions: [] }), NO_VERSIONS],
    [
      'an unknown TLS version',
      postListener({ ...TLS, tls_versions: ['TLSv9'] }),
      'Validation failure: Invalid TLS versions: TLSv9',
    ],
    ['an old TLS version', postListener({ ...TLS, tls_versions: ['SSLv3', 'TLSv1'] }), OLD],
    ['no ALPN protocol', postListener({ ...TLS, alpn_protocols: [] }), NO_ALPN],
    [
      'an unknown ALPN protocol',
      postListener({ ...TLS, alpn_protocols: ['h9'] }),
      "Invalid input for field/attribute alpn_protocols. Value: '['h9']'. Value should be a valid ALPN protocol ID",
    ],
    ['HSTS in HTTP', postListener({ protocol: 'HTTP', hsts_max_age: 1 }), HSTS],
    [
      'HSTS without an age',
      postListener({ ...TLS, hsts_preload: true }),
      'Validation failure: HSTS configuration options hsts_include_subdomains and hsts_preload only make sense if hsts_max_age is set as well.',
    ],
    [
      'PROMETHEUS with a pool',
      (ids) => postListener({ protocol: 'PROMETHEUS', default_pool_id: ids.pool })(ids),
      'Protocol PROMETHEUS listeners cannot have child objects.',
    ],
    [
      'CIDRs beside security groups',
      postListener({ allowed_cidrs: ['10.0.0.0/8'] }),
      'Validation failure: Allowed CIDRs are not allowed when using custom VIP Security Groups.',
      { given: setRow('load_balancer', { vip_sg_ids: `["${NIL}"]` }) },
    ],
    [
      'a certificate for HTTP, later',
      putListener({ default_tls_container_ref: 'x' }),
      'Validation failure: Certificate container references are not allowed on HTTP protocol listeners.',
    ],
    [
      'headers for UDP, later',
      putListener({ insert_headers: { 'X-Forwarded-For': 'true' } }),
      'Validation failure: UDP protocol listener does not support TLS or header insertion.',
      { given: setRow('listener', { protocol: 'UDP' }) },
    ],
    ['an old version, later', putListener({ tls_versions: ['SSLv3'] }), OLD, { given: asTls }],
    ['no versions, later', putListener({ tls_versions: [] }), NO_VERSIONS, { given: asTls }],
    [
      'prohibited ciphers, later',
      putListener({ tls_ciphers: 'RC4' }),
      PROHIBITED,
      { given: asTls },
    ],
    [
      'HSTS flags without an age, later',
      putListener({ hsts_preload: true }),
      'Validation failure: Cannot enable hsts_include_subdomains or hsts_preload if hsts_max_age was not set as well.',
      { given: asTls },
    ],
    ['HSTS for HTTP, later', putListener({ hsts_max_age: 1 }), HSTS],
    [
      'client authentication without a CA, later',
      putListener({ client_authentication: 'MANDATORY' }),
      'Validation failure: Client authentication setting MANDATORY requires a client CA container reference.',
      { given: asTls },
    ],
  ]),
]

const APP = { type: 'APP_COOKIE', cookie_name: 'a' }
const POOL_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a pool with TLS has the operator’s defaults',
    request: postPool({ tls_enabled: true, tls_container_ref: 'cert' }),
    status: 201,
    body: () => ({
      pool: {
        ...{ tls_enabled: true, tls_container_ref: 'cert', tls_ciphers: 'HIGH:!eNULL' },
        ...{ tls_versions: ['TLSv1.3'], alpn_protocols: ['http/1.1'] },
      },
    }),
  },
  {
    name: 'a pool without TLS has none',
    request: postPool({}),
    status: 201,
    body: () => ({ pool: { tls_ciphers: null, tls_versions: null, alpn_protocols: null } }),
  },
  {
    name: 'nulls of a pool are defaults, but for ALPN',
    request: putPool({ tls_ciphers: null, tls_versions: null, alpn_protocols: null }),
    status: 200,
    body: () => ({
      pool: { tls_ciphers: 'HIGH:!eNULL', tls_versions: ['TLSv1.3'], alpn_protocols: null },
    }),
  },
  {
    name: 'persistence of datagrams has a timeout and a mask',
    request: postPool({
      protocol: 'UDP',
      session_persistence: {
        ...{ type: 'SOURCE_IP', persistence_timeout: 3600 },
        persistence_granularity: '255.255.0.0',
      },
    }),
    status: 201,
    body: () => ({
      pool: {
        session_persistence: {
          ...{ type: 'SOURCE_IP', cookie_name: null, persistence_timeout: 3600 },
          persistence_granularity: '255.255.0.0',
        },
      },
    }),
  },
  {
    name: 'SOURCE_IP_PORT is for other providers',
    request: postPool({ lb_algorithm: 'SOURCE_IP_PORT' }),
    status: 501,
    fault:
      "Provider 'amphora' does not support a requested option: " +
      'Amphora provider does not support SOURCE_IP_PORT algorithm.',
  },
  ...refused([
    [
      'a cookie name in SCTP',
      postPool({ protocol: 'SCTP', session_persistence: { type: 'SOURCE_IP', cookie_name: 'a' } }),
      'Validation failure: session_persistence SOURCE_IP type for UDP and SCTP protocols only accepts: type, persistence_timeout, persistence_granularity.',
    ],
    [
      'APP_COOKIE in UDP',
      postPool({ protocol: 'UDP', session_persistence: APP }),
      'Validation failure: Cookie names are not supported for UDP/SCTP pools.',
    ],
    [
      'HTTP_COOKIE in UDP',
      postPool({ protocol: 'UDP', session_persistence: { type: 'HTTP_COOKIE' } }),
      'Validation failure: Session persistence of type HTTP_COOKIE is not supported for UDP/SCTP protocol pools.',
    ],
    [
      'a timeout in TCP',
      postPool({ session_persistence: { type: 'SOURCE_IP', persistence_timeout: 1 } }),
      'Validation failure: persistence_timeout and persistence_granularity is only for UDP and SCTP protocol pools.',
    ],
    [
      'a strange cookie name',
      postPool({ session_persistence: { ...APP, cookie_name: 'a(b)' } }),
      'Validation failure: Supplied "cookie_name" is invalid.',
    ],
    [
      'a CRL without a CA',
      postPool({ crl_container_ref: 'crl' }),
      'Validation failure: A CA certificate reference is required to specify a revocation list.',
    ],
    ['strange ciphers', postPool({ tls_ciphers: "A'" }), CIPHERS],
    ['prohibited ciphers', postPool({ tls_ciphers: 'RC4' }), PROHIBITED],
    ['an old TLS version', postPool({ tls_enabled: true, tls_versions: ['SSLv3'] }), OLD],
    ['no ALPN protocol', postPool({ tls_enabled: true, alpn_protocols: [] }), NO_ALPN],
    [
      'a CRL without a CA, later',
      putPool({ crl_container_ref: 'crl' }),
      'Validation failure: A CA reference is required to specify a certificate revocation list.',
    ],
    [
      'no CA for a CRL, later',
      putPool({ ca_tls_container_ref: null }),
      'Validation failure: A CA reference cannot be removed when a certificate revocation list is present.',
      { given: setRow('pool', { ca_tls_container_ref: 'ca', crl_container_ref: 'crl' }) },
    ],
    ['an old version, later', putPool({ tls_versions: ['SSLv3'] }), OLD],
    [
      'SR-IOV without a flavor for it',
      (ids) => [
        'POST',
        `${POOLS}/${ids.pool}/members`,
        { member: { address: '10.0.0.9', protocol_port: 1, request_sriov: true } },
      ],
      'The load balancer flavor does not allow SR-IOV member ports.',
    ],
  ]),
  {
    name: 'a CA goes together with its CRL',
    given: setRow('pool', { ca_tls_container_ref: 'ca', crl_container_ref: 'crl' }),
    request: putPool({ ca_tls_container_ref: null, crl_container_ref: null }),
    status: 200,
  },
  {
    name: 'a member of datagrams is of a family of the VIP',
    given: setRow('pool', { protocol: 'UDP' }),
    request: (ids) => [
      'POST',
      `${POOLS}/${ids.pool}/members`,
      { member: { address: '2001:db8::9', protocol_port: 1 } },
    ],
    status: 501,
    fault:
      "Provider 'amphora' does not support a requested option: This provider doesn't support " +
      'mixing IPv4 and IPv6 addresses for its VIP and members in UDP load balancers.',
  },
]

const VIP = { vip_subnet_id: SUBNET }
const VIP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a VIP with QoS and security groups',
    request: () => [
      'POST',
      LB,
      { loadbalancer: { ...VIP, vip_qos_policy_id: QOS_POLICY, vip_sg_ids: [SECURITY_GROUP] } },
    ],
    status: 201,
    body: () => ({
      loadbalancer: {
        ...{ vip_qos_policy_id: QOS_POLICY, vip_sg_ids: [SECURITY_GROUP] },
        vip_vnic_type: 'normal',
      },
    }),
  },
  {
    name: 'nulls take both away',
    given: setRow('load_balancer', {
      vip_qos_policy_id: QOS_POLICY,
      vip_sg_ids: `["${SECURITY_GROUP}"]`,
    }),
    request: (ids) => [
      'PUT',
      `${LB}/${ids.lb}`,
      { loadbalancer: { vip_qos_policy_id: null, vip_sg_ids: null } },
    ],
    status: 200,
    body: () => ({ loadbalancer: { vip_qos_policy_id: null, vip_sg_ids: [] } }),
  },
  ...refused([
    [
      'QoS that is not there',
      () => ['POST', LB, { loadbalancer: { ...VIP, vip_qos_policy_id: NIL } }],
      `qos_policy ${NIL} not found.`,
    ],
    [
      'QoS that is not there, later',
      (ids) => ['PUT', `${LB}/${ids.lb}`, { loadbalancer: { vip_qos_policy_id: NIL } }],
      `qos_policy ${NIL} not found.`,
    ],
    [
      'QoS where there is none',
      (ids) => ['PUT', `${LB}/${ids.lb}`, { loadbalancer: { vip_qos_policy_id: NIL } }],
      'Validation failure: VIP QoS policy is not allowed in this deployment.',
      {
        given: async (harness) => {
          harness.network.hasQosPolicy = async () => undefined
        },
      },
    ],
    [
      'groups that are not there, later',
      (ids) => ['PUT', `${LB}/${ids.lb}`, { loadbalancer: { vip_sg_ids: [NIL] } }],
      `Security Group ${NIL} not found.`,
    ],
    [
      'groups for a direct port',
      (ids) => ['PUT', `${LB}/${ids.lb}`, { loadbalancer: { vip_sg_ids: [SECURITY_GROUP] } }],
      'Validation failure: VIP Security Groups are not allowed with VNIC direct type',
      { given: setRow('load_balancer', { vip_vnic_type: 'direct' }) },
    ],
  ]),
]

describe.each([
  ['listener', LISTENER_SCENARIOS],
  ['pool', POOL_SCENARIOS],
  ['VIP', VIP_SCENARIOS],
] as const)('%s', (_, scenarios) => {
  test.each(scenarios)('$name', (scenario) => play(scenario))
})

/** As the documentation of upstream prints it, not as the code has it. */
const MATRIX = `
  TCP              HTTP HTTPS PROXY PROXYV2 TCP
  HTTP             HTTP PROXY PROXYV2
  HTTPS            HTTPS PROXY PROXYV2 TCP
  TERMINATED_HTTPS HTTP PROXY PROXYV2
  UDP              UDP
  SCTP             SCTP
  PROMETHEUS`

test.each(LISTENER_PROTOCOLS)('a %s listener takes pools of its protocols', async (protocol) => {
  const [, ...allowed] =
    MATRIX.trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find(([name]) => name === protocol) ?? []
  for (const pool of POOL_PROTOCOLS) {
    const harness = createHarness()
    const ids = await makeTree(harness)
    await setRow('pool', { protocol: pool })(harness)
    const over = { ...TLS, protocol, default_pool_id: ids.pool }
    const bare = { protocol, default_pool_id: ids.pool }
    const answer = await harness.send(
      ...postListener(protocol === 'TERMINATED_HTTPS' ? over : bare)(ids),
    )
    const fault =
      protocol === 'PROMETHEUS'
        ? 'Protocol PROMETHEUS listeners cannot have child objects.'
        : `Validation failure: The pool protocol '${pool}' is invalid while the listener protocol is '${protocol}'.`
    expect([pool, answer.status, answer.body.faultstring]).toEqual(
      allowed.includes(pool) ? [pool, 201, undefined] : [pool, 400, fault],
    )
  }
})

describe('a health monitor', () => {
  test.each(POOL_PROTOCOLS)('of a %s pool has one of its types', async (protocol) => {
    const datagrams = protocol === 'UDP' || protocol === 'SCTP'
    const allowed = datagrams
      ? ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP']
      : ['HTTP', 'HTTPS', 'PING', 'TCP', 'TLS-HELLO']
    for (const type of HEALTH_MONITOR_TYPES) {
      const harness = createHarness()
      const ids = await makeTree(harness)
      await harness.store.transaction((tx) => tx.deleteFrom('health_monitor').execute())
      await setRow('pool', { protocol })(harness)
      const healthmonitor = { pool_id: ids.pool, type, delay: 3, timeout: 1, max_retries: 1 }
      const answer = await harness.send('POST', MONITORS, { healthmonitor })
      const fault = datagrams
        ? `Validation failure: The associated pool protocol is ${protocol}, so only a UDP-CONNECT/SCTP/TCP/HTTP health monitor is supported.`
        : `Validation failure: The ${type} type is only supported for pools of type UDP/SCTP.`
      expect([type, answer.status, answer.body.faultstring]).toEqual(
        allowed.includes(type) ? [type, 201, undefined] : [type, 400, fault],
      )
    }
  })

  test('of UDP-CONNECT has a least delay, and PING can be switched off', async () => {
    const harness = createHarness({ settings: { allow_ping_health_monitors: false } })
    const ids = await makeTree(harness)
    const monitor = { pool_id: ids.pool, delay: 2, timeout: 1, max_retries: 1 }
    const post = (type: string) =>
      harness.send('POST', MONITORS, { healthmonitor: { ...monitor, type } })
    expect((await post('PING')).body.faultstring).toBe(
      'The selected type is not allowed in this deployment: PING',
    )
    await setRow('pool', { protocol: 'UDP' })(harness)
    const fault =
      'Validation failure: The request delay value 2 should be larger than 3 for UDP-CONNECT ' +
      'health monitor type.'
    expect((await post('UDP-CONNECT')).body.faultstring).toBe(fault)
    await setRow('health_monitor', { type: 'UDP-CONNECT' })(harness)
    const changed = await harness.send('PUT', `${MONITORS}/${ids.monitor}`, {
      healthmonitor: { delay: 2 },
    })
    expect([changed.status, changed.body.faultstring]).toEqual([400, fault])
  })
})

describe('certificates', () => {
  const missing: CertificateManager = {
    findCertificate: async () => undefined,
    findSecret: async () => undefined,
  }
  const noop = createNoopCertificateManager()
  const secrets = (texts: Readonly<Record<string, string>>): CertificateManager => ({
    ...noop,
    findSecret: async (ref, reader) => texts[ref] ?? (await noop.findSecret(ref, reader)),
  })
  const otherKey = Buffer.from(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }),
  )
  const withOtherKey = async (): Promise<CertificateMaterial | undefined> => {
    const material = await noop.findCertificate('any', null)
    return material?.form === 'parts' ? { ...material, private_key: otherKey } : undefined
  }
  const CA = { ...TLS, client_ca_tls_container_ref: 'ca', client_crl_container_ref: 'crl' }
  test.each([
    [
      'unreadable',
      missing,
      { ...TLS, sni_container_refs: ['a', 'b'] },
      "Could not retrieve certificate: ['a', 'b', 'cert']",
    ],
    [
      'an unreadable CA',
      { ...noop, findSecret: missing.findSecret },
      CA,
      "Could not retrieve certificate: ['ca', 'crl']",
    ],
    [
      'a key of another certificate',
      { ...noop, findCertificate: withOtherKey },
      TLS,
      'Validation failure: The certificate cert has a private key of another certificate.',
    ],
    [
      'a CA that is none',
      secrets({ ca: 'x' }),
      CA,
      /^Validation failure: The client authentication CA certificate is invalid\./,
    ],
    [
      'a CRL that is none',
      secrets({ crl: 'x' }),
      CA,
      /^Validation failure: The client authentication certificate revocation list is invalid\./,
    ],
  ])('%s', async (_, certificateManager, over, fault) => {
    const harness = createHarness({ api: { certificateManager } })
    const ids = await makeTree(harness)
    const before = await harness.dump()
    const answer = await harness.send(...postListener(over)(ids))
    expect([answer.status, answer.body.faultstring]).toEqual([
      400,
      typeof fault === 'string' ? fault : expect.stringMatching(fault),
    ])
    expect(await harness.dump()).toEqual(before)
  })

  test('a CRL of another CA', async () => {
    const { certificate } = await createCa('another', 1)
    const harness = createHarness({ api: { certificateManager: secrets({ ca: certificate }) } })
    const answer = await harness.send(...postListener(CA)(await makeTree(harness)))
    expect([answer.status, answer.body.faultstring]).toEqual([
      400,
      'Validation failure: The CRL specified is not valid for client certificate authority ' +
        'reference supplied.',
    ])
  })

  test('of pools and of a fully populated request are asked for too', async () => {
    const harness = createHarness({ api: { certificateManager: missing } })
    const ids = await makeTree(harness)
    const fault = "Could not retrieve certificate: ['cert']"
    const pool = await harness.send(...putPool({ tls_container_ref: 'cert' })(ids))
    expect([pool.status, pool.body.faultstring]).toEqual([400, fault])
    const listeners = [{ ...TLS, protocol_port: 1 }]
    const graph = await harness.send('POST', LB, { loadbalancer: { ...VIP, listeners } })
    expect([graph.status, graph.body.faultstring]).toEqual([400, fault])
  })
})

test('a fully populated request has policies, rules and pools by name or in full', async () => {
  const harness = createHarness({ settings: { ...SETTINGS } })
  const POOL = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
  const rules = [{ type: 'PATH', compare_type: 'STARTS_WITH', value: '/a' }]
  const redirect = { action: 'REDIRECT_TO_POOL', rules }
  const listener = (l7policies: object[], over: object = {}) => ({
    loadbalancer: {
      ...VIP,
      pools: [{ name: 'named', ...POOL }],
      listeners: [{ protocol: 'HTTP', protocol_port: 80, l7policies, ...over }],
    },
  })
  const full = await harness.send(
    'POST',
    LB,
    listener([
      { ...redirect, name: 'second', redirect_pool: { name: 'named' } },
      { ...redirect, name: 'first', position: 1, redirect_pool: { name: 'inline', ...POOL } },
    ]),
  )
  expect([full.status, full.body.faultstring]).toEqual([201, undefined])
  const [front] = full.body.loadbalancer.listeners
  const pools = full.body.loadbalancer.pools as { id: string; name: string; listeners: object[] }[]
  const idOf = (name: string) => pools.find((pool) => pool.name === name)?.id
  expect(front.l7policies).toMatchObject([
    { name: 'first', position: 1, redirect_pool_id: idOf('inline'), rules },
    { name: 'second', position: 2, redirect_pool_id: idOf('named'), rules },
  ])
  expect(pools.map((pool) => pool.listeners)).toEqual([[{ id: front.id }], [{ id: front.id }]])
  await settle(harness)
  const before = await harness.dump()
  for (const [body, fault] of [
    [listener([{ ...redirect }]), /redirect_pool_id or redirect_pool must not be None/],
    [listener([{ ...redirect, redirect_pool: { name: 'x' } }]), /Pool 'x' was referenced/],
    [listener([{ action: 'REJECT', rules: [{ ...rules[0], value: 'a b' }] }]), /^Error parsing/],
    [listener([{ action: 'REJECT', rules: Array(51).fill(rules[0]) }]), /^Too many rules/],
    [listener([{ action: 'REJECT' }], { protocol: 'PROMETHEUS' }), /cannot have child objects/],
    [listener([{ action: 'REJECT', nope: 1 }]), /listeners\.l7policies: nope$/],
  ] as const) {
    const answer = await harness.send('POST', LB, body)
    expect([answer.status, answer.body.faultstring]).toEqual([
      fault.source.startsWith('^Too') ? 409 : 400,
      expect.stringMatching(fault),
    ])
  }
  expect(await harness.dump()).toEqual(before)
})
