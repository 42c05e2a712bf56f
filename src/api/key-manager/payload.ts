/** What is put into a secret, and how it is said: as text, or as bytes in base64. Pure. */
import { Fault } from '../../model/fault.ts'
import { CONTENT_TYPES } from '../../model/secret.ts'
import { CONTENT_BYTES_MAX, type Payload } from '../../secret/vault.ts'

interface Said {
  readonly payload: string | null
  readonly payload_content_type: string | null
  readonly payload_content_encoding: string | null
}

/** Of a new secret; null where nothing is put in yet. */
export function payloadOf({
  payload,
  payload_content_type: type,
  payload_content_encoding: encoding,
}: Said): Payload | null {
  if (payload === null) return null
  const content_type = contentTypeOf(type)
  if (content_type === 'text/plain') {
    if (encoding !== null)
      throw new Fault(400, 'payload_content_encoding must not be given with text/plain.')
    return checked(Buffer.from(payload, 'utf8'), content_type)
  }
  if (encoding !== 'base64')
    throw new Fault(400, 'payload_content_encoding must be base64 for application/octet-stream.')
  return checked(decodeBase64(payload), content_type)
}

/** Of a PUT, whose body is the secret. */
export function payloadSent(headers: Headers, body: Uint8Array): Payload {
  const content_type = contentTypeOf(headers.get('content-type'))
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding !== 'base64')
    throw new Fault(400, 'Content-Encoding is base64, or is not given.')
  if (encoding === null) return checked(body, content_type)
  return checked(decodeBase64(Buffer.from(body).toString('latin1')), content_type)
}

function contentTypeOf(said: string | null): string {
  const [type = '', parameter = ''] = (said ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  const known = CONTENT_TYPES.find((each) => each === type)
  if (known !== undefined && ['', 'charset=utf-8'].includes(parameter)) return known
  throw new Fault(415, `The type of a payload is one of ${CONTENT_TYPES.join(', ')}.`)
}

function decodeBase64(text: string): Uint8Array {
  const dense = text.replace(/\s+/g, '')
  if (dense.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(dense))
    throw new Fault(400, 'The payload is no base64.')
  return Buffer.from(dense, 'base64')
}

function checked(content: Uint8Array, content_type: string): Payload {
  if (content.length === 0) throw new Fault(400, 'The payload is empty.')
  if (content.length > CONTENT_BYTES_MAX)
    throw new Fault(413, `A payload has at most ${CONTENT_BYTES_MAX} bytes.`)
  return { content, content_type }
}
