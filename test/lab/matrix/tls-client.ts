/** Clients of TLS: curl for requests, openssl for what a handshake shows. */
import { type ListenerMade, only, type Run } from './row.ts'
import { HOST, type Identity } from './tls-place.ts'

export interface TlsAsk {
  /** Whose certificate must be shown; also the name that is sent. null: neither. */
  readonly host?: string | null
  readonly as?: Identity
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
}

export interface TlsReply {
  /** 0 where there is none. */
  readonly status: number
  readonly http: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
  /** What curl said. */
  readonly error: string
}

/** A request with curl, which checks certificate and name. */
export async function curl(run: Run, how: TlsAsk = {}, listener = only(run)): Promise<TlsReply> {
  const { host = HOST.main, as, path = '/', headers = {}, args = [] } = how
  const vip = run.vip.includes(':') ? `[${run.vip}]` : run.vip
  const trust =
    host === null
      ? ['--insecure']
      : ['--cacert', run.place.tls.ca, '--resolve', `${host}:${listener.port}:${vip}`]
  const argv = [
    ...['curl', '--silent', '--noproxy', '*', '--max-time', '10', ...trust],
    ...(as === undefined ? [] : ['--cert', as.cert, '--key', as.key]),
    ...Object.entries(headers).flatMap(([key, value]) => ['--header', `${key}: ${value}`]),
    ...['--write-out', '%{stderr}{"about":%{json},"headers":%{header_json}}', ...args],
    `https://${host ?? vip}:${listener.port}${path}`,
  ]
  const { stdout, stderr } = await output(argv)
  const { about, headers: got } = JSON.parse(stderr) as {
    about: { http_code: number; http_version: string; errormsg: string | null }
    headers: Record<string, readonly string[]>
  }
  const { http_code: status, http_version: http, errormsg } = about
  return { status, http, headers: got, body: stdout, error: errormsg ?? '' }
}

export interface Handshake {
  /** `TLSv1.3`; empty where there was none. */
  readonly protocol: string
  readonly cipher: string
  readonly alpn: string
  /** The common name of the certificate. */
  readonly subject: string
  /** The certificate itself. */
  readonly certificate: string
}

export async function handshake(
  run: Run,
  args: readonly string[] = [],
  listener: ListenerMade = only(run),
): Promise<Handshake> {
  const vip = run.vip.includes(':') ? `[${run.vip}]` : run.vip
  const { stdout } = await output([
    ...['openssl', 's_client', '-connect', `${vip}:${listener.port}`, ...args],
  ])
  const [, protocol = '', cipher = ''] = /New, (\S+), Cipher is (\S+)/.exec(stdout) ?? []
  return {
    protocol: cipher === '(NONE)' ? '' : protocol,
    cipher: cipher === '(NONE)' ? '' : cipher,
    alpn: /ALPN protocol: (\S+)/.exec(stdout)?.[1] ?? '',
    certificate: /-----BEGIN CERTIFICATE-----[\s\S]+?-----END/.exec(stdout)?.[0] ?? '',
    subject: /subject=.*CN = (\S+)/.exec(stdout)?.[1] ?? '',
  }
}

async function output(argv: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const child = Bun.spawn([...argv], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { stdout, stderr }
}
