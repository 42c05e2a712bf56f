/** The edge of a request: what it accepts, how much it sends, and in which form. */
import { fault } from '../model/fault.ts'
import { parseJson } from '../model/request.ts'
import { RoutingError } from './faults.ts'

/** Source: wsme/rest/json.py. */
const JSON_TYPES = ['application/json', 'text/javascript', 'application/javascript']

/** Throws 406 for an Accept header which is well-formed and excludes JSON. */
export function checkAccept(headers: Headers): void {
  const accept = headers.get('accept')
  if (accept === null || accept === '*/*' || accept === 'application/json') return
  const ranges = accept
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  // A header that cannot be parsed counts as absent, as in webob.
  if (ranges.length === 0 || ranges.some((range) => !/^[^\s/;]+\/[^\s/;]+(\s*;.*)?$/.test(range)))
    return
  const matches = ranges.some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    if (parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) return false
    return type === '*/*' || type === 'application/*' || type === 'application/json'
  })
  if (!matches) throw new RoutingError(406)
}

/** The JSON of a request's body; undefined for an empty one and for a form, which WSME ignores. */
export async function readBody(request: Request, bytesMax: number): Promise<unknown> {
  const bytes = await readBytes(request, bytesMax)
  if (bytes.byteLength === 0) return undefined
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/x-www-form-urlencoded') return undefined
  if (!JSON_TYPES.includes(type)) throw fault.unknownMimetype(type)
  return parseJson(decode(bytes))
}

/** A request's body as it was sent; empty for none. */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) throw fault.tooLarge()
  if (request.body === null) return new Uint8Array()
  const bytes = await request.arrayBuffer()
  if (bytes.byteLength > bytesMax) throw fault.tooLarge()
  return new Uint8Array(bytes)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw fault.notJson()
  }
}
