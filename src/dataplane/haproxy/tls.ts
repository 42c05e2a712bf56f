/**
 * TLS as haproxy speaks it: options of `bind` lines towards clients and of `server` lines towards
 * members, in upstream's order.
 */
import { tls13Cipher } from '../../model/cipher-names.ts'
import type { Listener } from '../../model/listener.ts'
import type { Pool } from '../../model/pool.ts'
import { TLS_VERSIONS } from '../../model/tls.ts'
import { certificatePath, crtListName, fileNameIn } from './certificates.ts'
import { atLeast, type Rendering } from './facts.ts'
import { joined, type Line, line } from './line.ts'
import { servedListeners, terminatesTls } from './served.ts'

/** What listeners and pools say alike. */
function options(
  of: Pick<Listener, 'tls_ciphers' | 'tls_versions' | 'alpn_protocols'>,
): readonly (Line | undefined)[] {
  // Those of TLS 1.3 have an option of their own; in `ciphers` they do nothing.
  const ciphers = of.tls_ciphers?.split(':').filter(Boolean) ?? []
  const newer = ciphers.map(tls13Cipher).filter((cipher) => cipher !== undefined)
  const older = ciphers.filter((cipher) => tls13Cipher(cipher) === undefined)
  const alpn = of.alpn_protocols ?? []
  return [
    older.length > 0 ? line`ciphers ${older.join(':')}` : undefined,
    newer.length > 0 ? line`ciphersuites ${newer.join(':')}` : undefined,
    ...range(of.tls_versions ?? []),
    alpn.length === 0 ? undefined : line`alpn ${alpn.join(',')}`,
  ]
}

/**
 * The newest version and the older ones next to it: OpenSSL knows ranges only, and a range over a
 * gap would allow what nobody has asked for. Upstream's `no-tlsv11` and the like leave such a gap open,
 * and on a `bind` line they never turn on what is older than TLS 1.2.
 */
function range(versions: readonly string[]): readonly Line[] {
  const newest = TLS_VERSIONS.findLastIndex((version) => versions.includes(version))
  if (newest < 0) return []
  const gap = TLS_VERSIONS.slice(0, newest).findLastIndex((each) => !versions.includes(each))
  const [least, most] = [TLS_VERSIONS[gap + 1], TLS_VERSIONS[newest]].map(nameOfVersion)
  return [line`ssl-min-ver ${least ?? ''}`, line`ssl-max-ver ${most ?? ''}`]
}

function nameOfVersion(version: string | undefined): string {
  return version === 'TLSv1' ? 'TLSv1.0' : (version ?? '')
}

const VERIFY = { NONE: line`none`, OPTIONAL: line`optional`, MANDATORY: line`required` } as const

/** undefined for a listener that leaves TLS to others. */
export function bindTls(rendering: Rendering, listener: Listener): Line | undefined {
  if (!terminatesTls(listener)) return undefined
  const { client_ca_tls_container_ref: ca, client_crl_container_ref: crl } = listener
  const { authorities, revocations } = rendering.tls
  const file = (name: string): string => certificatePath(rendering, name)
  return joined([
    line`ssl crt-list ${file(crtListName(listener))}`,
    ...(ca === null
      ? []
      : [
          line`ca-file ${file(fileNameIn(authorities, ca))}`,
          line`verify ${VERIFY[listener.client_authentication]}`,
          crl === null ? undefined : line`crl-file ${file(fileNameIn(revocations, crl))}`,
        ]),
    ...options(listener),
  ])
}

/**
 * Verification is on whenever there is an authority to verify by. haproxy then also holds the names
 * in a member's certificate against the name that it sends, which is the one the client asked for.
 */
export function memberTls(rendering: Rendering, pool: Pool): Line {
  const { tls_container_ref: own, ca_tls_container_ref: ca, crl_container_ref: crl } = pool
  const { certificates, authorities, revocations } = rendering.tls
  const file = (name: string): string => certificatePath(rendering, name)
  const alpn = atLeast(rendering.facts.haproxy_version, 1, 9) ? pool.alpn_protocols : null
  return joined([
    line`ssl`,
    own === null ? undefined : line`crt ${file(fileNameIn(certificates, own))}`,
    ca === null ? undefined : line`ca-file ${file(fileNameIn(authorities, ca))}`,
    ca === null || crl === null ? undefined : line`crl-file ${file(fileNameIn(revocations, crl))}`,
    ca === null ? line`verify none` : line`verify required`,
    line`sni ssl_fc_sni`,
    ...options({ ...pool, alpn_protocols: alpn }),
  ])
}

/** KiB of two sockets' buffers. */
const CONNECTION_KIB = 32
/** About 250 bytes each; haproxy's own 20,000 blocks take this much. */
const BLOCKS_PER_KIB = 4
const DEFAULT_CACHE_KIB = 5_000
/**
 * haproxy writes to all of it at once, in the process that checks a configuration and in the one
 * that takes over, while the one that serves has its own: gigabytes would take seconds each time.
 */
const CACHE_KIB_MAX = 100_000

/**
 * Two fifths of the memory that connections leave, for sessions of TLS to be taken up again; of
 * an amphora that has memory of its own.
 */
export function sessionCacheSize(
  { tree, facts, options }: Rendering,
  connections: number,
): number | undefined {
  const { memory, session_cache_size } = facts
  const needed = servedListeners(tree).some((each) => each.protocol === 'TERMINATED_HTTPS')
  if (!needed || memory === undefined || !options.own_memory) return undefined
  if (session_cache_size !== undefined) return session_cache_size
  const left = memory.free + memory.buffers + memory.cached - CONNECTION_KIB * connections
  const cache_kib = Math.min(Math.floor((left * 2) / 5), CACHE_KIB_MAX)
  return cache_kib > DEFAULT_CACHE_KIB ? cache_kib * BLOCKS_PER_KIB : undefined
}
