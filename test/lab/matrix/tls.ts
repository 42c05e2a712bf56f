/** Rows of the matrix: TLS towards clients. */
import { expect } from 'vitest'
import { members, type Place, type Seen } from './place.ts'
import { poolOf, webListener } from './protocols.ts'
import { type MatrixRow, only, type Wish } from './row.ts'
import { curl, handshake } from './tls-client.ts'
import { HOST, REF } from './tls-place.ts'

/** The usual listener of a row about TLS. */
export function tlsListener(place: Place, over: Wish = {}, pool: Wish = {}): Wish {
  const tls = { protocol: 'TERMINATED_HTTPS', default_tls_container_ref: REF.main }
  return webListener(place, ['a', 'b'], { listener: { ...tls, ...over }, pool })
}

const CLIENT_AUTH = {
  client_ca_tls_container_ref: REF.clientCa,
  client_crl_container_ref: REF.clientCrl,
} as const

const allHeaders = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, 'true']))

const CLIENT_HEADERS = [
  'X-SSL-Client-Verify',
  'X-SSL-Client-Has-Cert',
  'X-SSL-Client-DN',
  'X-SSL-Client-CN',
  'X-SSL-Issuer',
  'X-SSL-Client-SHA1',
  'X-SSL-Client-Not-Before',
  'X-SSL-Client-Not-After',
] as const

function sslHeaders(body: string): Readonly<Record<string, string>> {
  const { headers } = JSON.parse(body) as Seen
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-ssl-')))
}

export const tlsRows: readonly MatrixRow[] = [
  {
    features: [249, 242],
    shows: 'TERMINATED_HTTPS: the default certificate, and others by the name that is asked for',
    listeners: (place) => [tlsListener(place, { sni_container_refs: [REF.sni] })],
    check: async (run) => {
      for (const host of [HOST.main, HOST.sni])
        expect(await curl(run, { host })).toMatchObject({ status: 200 })
      expect((await handshake(run, ['-servername', HOST.sni])).subject).toBe(HOST.sni)
      expect((await handshake(run, ['-servername', 'unknown.example'])).subject).toBe(HOST.main)
      expect((await handshake(run, ['-noservername'])).subject).toBe(HOST.main)
    },
  },
  {
    features: [249],
    shows: 'certificates for SNI alone: the first of them is the default',
    listeners: (place) => [
      tlsListener(place, { default_tls_container_ref: null, sni_container_refs: [REF.sni] }),
    ],
    check: async (run) => {
      expect(await curl(run, { host: HOST.sni })).toMatchObject({ status: 200 })
      expect((await handshake(run, ['-noservername'])).subject).toBe(HOST.sni)
    },
  },
  {
    features: [250],
    shows: 'client authentication MANDATORY: a certificate of the CA that is not revoked',
    listeners: (place) => [
      tlsListener(place, { ...CLIENT_AUTH, client_authentication: 'MANDATORY' }),
    ],
    check: async (run) => {
      const { alice, mallory, stranger } = run.place.tls
      expect((await curl(run, { as: alice })).status).toBe(200)
      expect((await curl(run)).status).toBe(0)
      expect((await curl(run, { as: mallory })).status).toBe(0)
      expect((await curl(run, { as: stranger })).status).toBe(0)
    },
  },
  {
    features: [250],
    shows: 'client authentication OPTIONAL: none is fine, a bad one is not; NONE asks nobody',
    listeners: (place) => [
      tlsListener(place, { ...CLIENT_AUTH, client_authentication: 'OPTIONAL' }),
      tlsListener(place, { ...CLIENT_AUTH, client_authentication: 'NONE' }),
    ],
    check: async (run) => {
      const { alice, mallory } = run.place.tls
      const statuses = async (at: number) => [
        (await curl(run, {}, only(run, at))).status,
        (await curl(run, { as: alice }, only(run, at))).status,
        (await curl(run, { as: mallory }, only(run, at))).status,
      ]
      expect(await statuses(0)).toEqual([200, 200, 0])
      expect(await statuses(1)).toEqual([200, 200, 200])
    },
  },
  {
    features: [251],
    shows: 'versions: those that are named and no other',
    listeners: (place) => [
      tlsListener(place, { tls_versions: ['TLSv1.2'] }),
      tlsListener(place, { tls_versions: ['TLSv1.3'] }),
    ],
    check: async (run) => {
      const versions = (at: number, args: readonly string[] = []) =>
        handshake(run, args, only(run, at)).then(({ protocol }) => protocol)
      expect([await versions(0), await versions(0, ['-tls1_3'])]).toEqual(['TLSv1.2', ''])
      expect([await versions(1), await versions(1, ['-tls1_2'])]).toEqual(['TLSv1.3', ''])
    },
  },
  {
    features: [251],
    shows: 'ciphers: those that are named and no other, of TLS 1.2 and of TLS 1.3',
    listeners: (place) => [
      tlsListener(place, {
        tls_ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
        tls_versions: ['TLSv1.2', 'TLSv1.3'],
      }),
    ],
    check: async (run) => {
      expect((await handshake(run)).cipher).toBe('TLS_AES_128_GCM_SHA256')
      expect((await handshake(run, ['-tls1_2'])).cipher).toBe('ECDHE-ECDSA-AES128-GCM-SHA256')
      const other = ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384']
      expect((await handshake(run, other)).cipher).toBe('')
      const newer = ['-tls1_3', '-ciphersuites', 'TLS_AES_256_GCM_SHA384']
      expect((await handshake(run, newer)).cipher).toBe('')
    },
  },
  {
    features: [251],
    shows: 'ALPN: HTTP/2 where it is offered',
    listeners: (place) => [
      tlsListener(place, { alpn_protocols: ['h2', 'http/1.1'] }),
      tlsListener(place, { alpn_protocols: ['http/1.1'] }),
    ],
    check: async (run) => {
      const offer = ['-alpn', 'h2,http/1.1']
      expect((await handshake(run, offer)).alpn).toBe('h2')
      expect((await handshake(run, offer, only(run, 1))).alpn).toBe('http/1.1')
      expect(await curl(run)).toMatchObject({ status: 200, http: '2' })
      expect(await curl(run, { args: ['--http1.1'] })).toMatchObject({ status: 200, http: '1.1' })
      expect(await curl(run, {}, only(run, 1))).toMatchObject({ status: 200, http: '1.1' })
    },
  },
  {
    features: [252],
    shows: 'nothing is served without TLS; an HTTP listener leads to it by REDIRECT_PREFIX',
    listeners: (place) => [
      tlsListener(place),
      {
        ...webListener(place),
        l7policies: [
          {
            action: 'REDIRECT_PREFIX',
            redirect_prefix: `https://${HOST.main}`,
            redirect_http_code: 301,
            rules: [{ type: 'PATH', compare_type: 'STARTS_WITH', value: '/' }],
          },
        ],
      },
    ],
    check: async (run) => {
      const plain = await fetch(`${only(run).url}/`, { proxy: false } as BunFetchRequestInit).then(
        ({ status }) => status,
        () => 0,
      )
      expect(plain).toBe(0)
      const asked = { proxy: false, redirect: 'manual' } as BunFetchRequestInit
      const redirected = await fetch(`${only(run, 1).url}/path?query`, asked)
      expect(redirected.status).toBe(301)
      expect(redirected.headers.get('location')).toBe(`https://${HOST.main}/path?query`)
    },
  },
  {
    features: [253],
    shows: 'HSTS: with all its parts, or the age alone',
    listeners: (place) => [
      tlsListener(place, { hsts_max_age: 3600, hsts_include_subdomains: true, hsts_preload: true }),
      tlsListener(place, { hsts_max_age: 60 }),
      tlsListener(place),
    ],
    check: async (run) => {
      const said = async (at: number) =>
        (await curl(run, {}, only(run, at))).headers['strict-transport-security']
      expect(await said(0)).toEqual(['max-age=3600; includeSubDomains; preload;'])
      expect(await said(1)).toEqual(['max-age=60;'])
      expect(await said(2)).toBeUndefined()
    },
  },
  {
    features: [271],
    shows: 'X-SSL-*: what members hear of the client, who cannot make it up',
    listeners: (place) => [
      tlsListener(place, {
        ...CLIENT_AUTH,
        client_authentication: 'OPTIONAL',
        insert_headers: allHeaders([...CLIENT_HEADERS, 'X-Forwarded-Proto', 'X-Forwarded-Port']),
      }),
    ],
    check: async (run) => {
      const reply = await curl(run, { as: run.place.tls.alice })
      const { headers } = JSON.parse(reply.body) as Seen
      expect(headers).toMatchObject({
        'x-forwarded-proto': 'https',
        'x-forwarded-port': String(only(run).port),
        'x-ssl-client-verify': '0',
        'x-ssl-client-has-cert': '1',
        'x-ssl-client-dn': '/CN=alice',
        'x-ssl-client-cn': 'alice',
        'x-ssl-issuer': '/CN=clients CA',
        'x-ssl-client-sha1': expect.stringMatching(/^[0-9A-F]{40}$/),
        'x-ssl-client-not-before': expect.stringMatching(/^\d{12}Z$/),
        'x-ssl-client-not-after': expect.stringMatching(/^\d{12}Z$/),
      })
      const made = Object.fromEntries(CLIENT_HEADERS.map((name) => [name, 'alice']))
      const without = sslHeaders((await curl(run, { headers: made })).body)
      expect(Object.values(without)).not.toContain('alice')
      expect(without['x-ssl-client-has-cert']).toBe('0')
    },
  },
  {
    features: [256],
    shows:
      'rules about the client’s certificate: whether there is one, its check, a part of its name',
    listeners: (place) => [
      {
        ...tlsListener(place, { ...CLIENT_AUTH, client_authentication: 'OPTIONAL' }),
        l7policies: [
          {
            action: 'REDIRECT_TO_URL',
            redirect_url: 'http://alice.example/',
            rules: [
              { type: 'SSL_CONN_HAS_CERT', compare_type: 'EQUAL_TO', value: 'True' },
              { type: 'SSL_VERIFY_RESULT', compare_type: 'EQUAL_TO', value: '0' },
              { type: 'SSL_DN_FIELD', key: 'CN', compare_type: 'STARTS_WITH', value: 'ali' },
            ],
          },
          {
            action: 'REJECT',
            rules: [
              { type: 'SSL_CONN_HAS_CERT', compare_type: 'EQUAL_TO', value: 'True', invert: true },
            ],
          },
        ],
      },
    ],
    check: async (run) => {
      const reply = await curl(run, { as: run.place.tls.alice })
      expect(reply.headers.location).toEqual(['http://alice.example/'])
      expect((await curl(run)).status).toBe(403)
    },
  },
  {
    features: [268],
    shows: 'PROXYV2 behind TLS: the preamble names the client of the certificate',
    listeners: (place) => [
      {
        protocol: 'TERMINATED_HTTPS',
        default_tls_container_ref: REF.main,
        ...{ ...CLIENT_AUTH, client_authentication: 'MANDATORY' },
        default_pool: poolOf('PROXYV2', members(place, ['preamble'])),
      },
    ],
    check: async (run) => {
      const { body } = await curl(run, { as: run.place.tls.alice })
      const preamble = Buffer.from(body, 'hex').toString('latin1')
      expect(preamble.startsWith('\r\n\r\n\0\r\nQUIT\n')).toBe(true)
      expect(preamble.split('GET ')[0]).toContain('alice')
    },
  },
]
