/** Rows of the matrix: TLS towards members. */
import { expect } from 'vitest'
import { until } from '../harness.ts'
import type { Place } from './place.ts'
import { poolOf } from './protocols.ts'
import { type MatrixRow, only, type Run, type Wish } from './row.ts'
import { curl } from './tls-client.ts'
import { HOST, REF, type TlsMember, type TlsSeen } from './tls-place.ts'

function tlsMembers(place: Place, names: readonly TlsMember[]): readonly Wish[] {
  return names.map((name) => ({
    name,
    address: place.host,
    protocol_port: place.tls.ports[name],
  }))
}

/** A listener of TLS, or of HTTP, before members of TLS. */
function before(place: Place, names: readonly TlsMember[], pool: Wish, plain = false): Wish {
  const tls = { protocol: 'TERMINATED_HTTPS', default_tls_container_ref: REF.main }
  const default_pool = poolOf('HTTP', tlsMembers(place, names), { tls_enabled: true, ...pool })
  return { ...(plain ? { protocol: 'HTTP' } : tls), default_pool }
}

const VERIFIED = { ca_tls_container_ref: REF.memberCa } as const
/** No name is sent, so none is held against the certificate of the member. */
const NAMELESS = { host: null } as const

async function answerOf(run: Run, at: number, how: Parameters<typeof curl>[1] = NAMELESS) {
  const { status, body } = await curl(run, how, only(run, at))
  return status === 200 ? (JSON.parse(body) as TlsSeen) : status
}

/** A member that can be verified, and one that cannot. */
function monitored(place: Place, over: Wish): Wish {
  return before(place, ['verified', 'foreign'], {
    ...VERIFIED,
    alpn_protocols: ['h2', 'http/1.1'],
    healthmonitor: {
      ...{ type: 'HTTPS', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 },
      ...{ http_method: 'GET', url_path: '/', expected_codes: '200', ...over },
    },
  })
}

async function memberStatuses(run: Run, at: number): Promise<Readonly<Record<string, string>>> {
  const path = `pools/${only(run, at).default_pool_id}/members`
  const rows = (await run.client.call('GET', path)) as unknown as readonly {
    name: string
    operating_status: string
  }[]
  return Object.fromEntries(rows.map((row) => [row.name, row.operating_status]))
}

export const tlsMemberRows: readonly MatrixRow[] = [
  {
    features: [269],
    shows: 'members are spoken to by TLS, with the name that the client sent, verified or not',
    listeners: (place) => [before(place, ['foreign'], {}), before(place, ['verified'], VERIFIED)],
    check: async (run) => {
      expect(await answerOf(run, 0, {})).toMatchObject({ server: 'foreign', sni: HOST.main })
      expect(await answerOf(run, 1)).toMatchObject({ server: 'verified', sni: '' })
    },
  },
  {
    features: [269],
    shows: 'with a CA, also alone: members of another CA, of another name, or revoked are refused',
    listeners: (place) => [
      before(place, ['foreign'], VERIFIED),
      before(place, ['verified'], VERIFIED),
      before(place, ['revoked'], VERIFIED),
      before(place, ['revoked'], { ...VERIFIED, crl_container_ref: REF.memberCrl }),
      before(place, ['verified'], { ...VERIFIED, crl_container_ref: REF.memberCrl }),
    ],
    check: async (run) => {
      expect(await answerOf(run, 0)).toBe(503)
      // The client asks for main.example, and the member's certificate is for member.example.
      expect(await answerOf(run, 1, {})).toBe(503)
      const asked = { host: HOST.member, args: ['--insecure'] }
      expect(await answerOf(run, 1, asked)).toMatchObject({ sni: HOST.member })
      expect(await answerOf(run, 2)).toMatchObject({ server: 'revoked' })
      expect(await answerOf(run, 3)).toBe(503)
      expect(await answerOf(run, 4)).toMatchObject({ server: 'verified' })
    },
  },
  {
    features: [269],
    shows: 'members that demand a certificate get that of the pool',
    listeners: (place) => [
      before(place, ['demanding'], { ...VERIFIED, tls_container_ref: REF.backend }, true),
      before(place, ['demanding'], VERIFIED, true),
    ],
    check: async (run) => {
      const status = (at: number) =>
        fetch(`${only(run, at).url}/`, { proxy: false } as BunFetchRequestInit)
      const answered = await status(0)
      expect(await answered.json()).toMatchObject({ server: 'demanding', peer: 'backend' })
      expect((await status(1)).status).toBeGreaterThanOrEqual(502)
    },
  },
  {
    features: [269],
    shows: 'versions, ciphers and ALPN of a pool: HTTP/2 to members',
    listeners: (place) => [
      before(place, ['verified'], {
        ...VERIFIED,
        alpn_protocols: ['h2', 'http/1.1'],
        tls_versions: ['TLSv1.2'],
        tls_ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
      }),
      before(place, ['verified'], { alpn_protocols: ['http/1.1'], tls_versions: ['TLSv1.3'] }),
    ],
    check: async (run) => {
      expect(await answerOf(run, 0)).toMatchObject({ http: '2.0', protocol: 'TLSv1.2' })
      expect(await answerOf(run, 1)).toMatchObject({ http: '1.1', protocol: 'TLSv1.3' })
    },
  },
  {
    features: [262, 270],
    shows: 'HTTPS monitors verify where the pool does; in HTTP/2 when they name a host',
    listeners: (place) => [
      monitored(place, {}),
      monitored(place, { http_version: 1.1, domain_name: HOST.member }),
    ],
    check: async (run) => {
      for (const at of [0, 1]) {
        await until('the monitor to know', async () => {
          const { verified, foreign } = await memberStatuses(run, at)
          return verified === 'ONLINE' && foreign === 'ERROR'
        })
        for (let n = 0; n < 4; n++)
          expect(await answerOf(run, at)).toMatchObject({ server: 'verified' })
      }
    },
  },
]
