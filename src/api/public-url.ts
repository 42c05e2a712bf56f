/**
 * The URL of a request as its client wrote it: links in answers begin with it. The API is also
 * served below /load-balancer, as behind uwsgi, and may stand behind a proxy that says so.
 */
const MOUNT = '/load-balancer'

const PROTO = /^https?$/
const HOST = /^[A-Za-z0-9.\-_]+(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/
const PORT = /^\d{1,5}$/
const PREFIX = /^(\/[A-Za-z0-9.\-_~%]+)+\/?$/

/** The path of a URL begins here. */
function pathStart(url: string): number {
  return url.indexOf('/', url.indexOf('//') + 2)
}

/** The same request without the mount, or undefined where it does not stand below it. */
export function withoutMount(request: Request): Request | undefined {
  const { url } = request
  const start = pathStart(url)
  const end = start + MOUNT.length
  if (!url.startsWith(MOUNT, start) || !/^[/?]?$/.test(url.charAt(end))) return undefined
  const rest = url.slice(end)
  return new Request(`${url.slice(0, start)}${rest.startsWith('/') ? '' : '/'}${rest}`, request)
}

/** `believed`: whether a proxy of ours sets the headers; anybody can send them. */
export function publicUrl(request: Request, mounted: boolean, believed: boolean): URL {
  const url = new URL(request.url)
  if (mounted) url.pathname = MOUNT + url.pathname
  if (!believed) return url
  const { proto, host, port, prefix } = forwarded(request.headers)
  if (proto !== undefined) url.protocol = proto
  if (host !== undefined) {
    url.port = ''
    url.host = host
  }
  if (port !== undefined && (host === undefined || !/:\d+$/.test(host))) url.port = port
  if (prefix !== undefined) url.pathname = prefix.replace(/\/$/, '') + url.pathname
  return url
}

interface Forwarded {
  readonly proto: string | undefined
  readonly host: string | undefined
  readonly port: string | undefined
  readonly prefix: string | undefined
}

/** RFC 7239 wins over the older headers; of several proxies the first met the client. */
function forwarded(headers: Headers): Forwarded {
  const first = (name: string): string | undefined => headers.get(name)?.split(',')[0]?.trim()
  const prefix = matching(PREFIX, first('x-forwarded-prefix'))
  const standard = headers.get('forwarded')
  if (standard !== null) {
    const pairs = (standard.split(',')[0] ?? '').split(';').map((pair): [string, string] => {
      const [name = '', value = ''] = pair.split('=', 2)
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')]
    })
    const of = (name: string): string | undefined => pairs.find(([each]) => each === name)?.[1]
    const proto = matching(PROTO, of('proto'))
    return { proto, host: matching(HOST, of('host')), port: undefined, prefix }
  }
  return {
    proto: matching(PROTO, first('x-forwarded-proto')),
    host: matching(HOST, first('x-forwarded-host')),
    port: matching(PORT, first('x-forwarded-port')),
    prefix,
  }
}

/** A value of another form is as good as none: it would end up in links. */
function matching(pattern: RegExp, value: string | undefined): string | undefined {
  return value !== undefined && pattern.test(value) ? value : undefined
}
