/**
 * What rows about TLS need besides: certificates in the controller's local store, clients that have
 * some, and members that speak TLS.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { createTestCa, type TestCertificate } from '../certificates.ts'

/** Names in the store. */
export const REF = {
  main: 'main',
  sni: 'sni',
  clientCa: 'client-ca',
  clientCrl: 'client-crl',
  memberCa: 'member-ca',
  memberCrl: 'member-crl',
  backend: 'backend',
  renewed: 'renewed',
  perishable: 'perishable',
} as const
/** Names in the certificates of listeners and members. */
export const HOST = { main: 'main.example', sni: 'sni.example', member: 'member.example' } as const

/** Paths of PEM files. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

const TLS_MEMBERS = ['verified', 'demanding', 'revoked', 'foreign'] as const
export type TlsMember = (typeof TLS_MEMBERS)[number]

export interface TlsPlace {
  readonly ports: Readonly<Record<TlsMember, number>>
  /** Path of the CA of listeners' certificates. */
  readonly ca: string
  readonly alice: Identity
  /** Revoked. */
  readonly mallory: Identity
  /** Of a CA that nobody knows. */
  readonly stranger: Identity
  /** Puts a certificate into the store or, without one, takes it out. */
  store(ref: string, certificate: TestCertificate | undefined): void
  issue(name: string): TestCertificate
  /** With a key that haproxy does not take. */
  issueWeak(name: string): TestCertificate
  close(): Promise<void>
}

/** What a member that speaks TLS says of a request. */
export interface TlsSeen {
  readonly server: string
  readonly http: string
  readonly sni: string
  /** The common name of the certificate that haproxy showed. */
  readonly peer: string
  readonly protocol: string
  readonly headers: Readonly<Record<string, string>>
}

export async function openTlsPlace(host: string, store: string): Promise<TlsPlace> {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-tls-'))
  mkdirSync(store, { recursive: true })
  const [listeners, clients, members, others] = ['listeners', 'clients', 'members', 'others'].map(
    (name) => createTestCa(`${name} CA`),
  ) as [Ca, Ca, Ca, Ca]
  const put = (ref: string, certificate: TestCertificate | undefined): void => {
    for (const [ending, text] of [
      ['crt', certificate?.cert],
      ['key', certificate?.key],
    ] as const) {
      const path = join(store, `${ref}.${ending}`)
      if (text === undefined) rmSync(path, { force: true })
      else writeFileSync(path, text)
    }
  }
  const identity = (name: string, { cert, key }: TestCertificate): Identity => {
    const paths = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
    writeFileSync(paths.cert, cert)
    writeFileSync(paths.key, key)
    return paths
  }
  const issue = (name: string): TestCertificate => listeners.issue(name, 'serverAuth')
  const mallory = clients.issue('mallory', 'clientAuth')
  const revoked = members.issue(HOST.member, 'serverAuth')
  const own = members.issue(HOST.member, 'serverAuth')
  for (const [ref, name] of [
    [REF.main, HOST.main],
    [REF.renewed, HOST.main],
    [REF.perishable, HOST.main],
    [REF.sni, HOST.sni],
  ] as const)
    put(ref, issue(name))
  put(REF.backend, clients.issue('backend', 'clientAuth'))
  for (const [ref, text] of [
    [REF.clientCa, clients.cert],
    [REF.clientCrl, clients.revoke([mallory])],
    [REF.memberCa, members.cert],
    [REF.memberCrl, members.revoke([revoked])],
  ] as const)
    writeFileSync(join(store, `${ref}.crt`), text)
  const servers: Readonly<Record<TlsMember, Parameters<typeof startMember>[2]>> = {
    verified: own,
    demanding: { ...own, ca: clients.cert, requestCert: true, rejectUnauthorized: true },
    revoked,
    foreign: others.issue(HOST.member, 'serverAuth'),
  }
  const started = await Promise.all(
    TLS_MEMBERS.map((name) => startMember(name, host, servers[name])),
  )
  const ca = join(folder, 'ca.crt')
  writeFileSync(ca, listeners.cert)
  return {
    ports: Object.fromEntries(started.map(({ name, port }) => [name, port])) as TlsPlace['ports'],
    ca,
    alice: identity('alice', clients.issue('alice', 'clientAuth')),
    mallory: identity('mallory', mallory),
    stranger: identity('stranger', others.issue('stranger', 'clientAuth')),
    store: put,
    issue,
    issueWeak: (name) => listeners.issue(name, 'serverAuth', { weak: true }),
    close: async () => {
      for (const { close } of started) close()
      for (const each of [listeners, clients, members, others]) each.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Ca = ReturnType<typeof createTestCa>

interface MemberTls {
  readonly cert: string
  readonly key: string
  readonly ca?: string
  readonly requestCert?: boolean
  readonly rejectUnauthorized?: boolean
}

async function startMember(name: TlsMember, host: string, tls: MemberTls) {
  const server = createSecureServer({ ...tls, allowHTTP1: true }, (request, response) =>
    answer(name, request, response),
  )
  server.on('sessionError', () => {})
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, host, () => resolve()))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { name, port, close: () => server.close() }
}

function answer(server: string, request: Http2ServerRequest, response: Http2ServerResponse): void {
  const socket = (request.stream?.session?.socket ?? request.socket) as TLSSocket
  const peer = socket.getPeerCertificate?.()
  const seen: TlsSeen = {
    server,
    http: String(request.httpVersion),
    sni: String((socket as { servername?: unknown }).servername || ''),
    peer: String(peer?.subject?.CN ?? ''),
    protocol: String(socket.getProtocol?.() ?? ''),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([key, value]) => [key, String(value)]),
    ),
  }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(seen))
}
