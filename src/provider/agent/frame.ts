/**
 * The framing of the driver agent's sockets, both ways: the length in bytes as decimal digits, a
 * line feed, and that many bytes of JSON. Pure. Source: octavia_lib/api/drivers/driver_lib.py.
 */
import type { Json } from '../../model/field.ts'

/** A tree of many thousand objects is far smaller. */
export const REQUEST_BYTES_MAX = 2 << 20
const LENGTH_DIGITS_MAX = 10

export type Frame =
  | { readonly state: 'incomplete' }
  | { readonly state: 'complete'; readonly body: Json }
  | { readonly state: 'malformed'; readonly problem: string }

const malformed = (problem: string): Frame => ({ state: 'malformed', problem })

/** What was received so far; bytes after the frame are not looked at. */
export function parseFrame(received: Buffer): Frame {
  const head = received.subarray(0, LENGTH_DIGITS_MAX + 1)
  const end = head.indexOf(0x0a)
  const digits = head.toString('latin1', 0, end < 0 ? undefined : end)
  if (!(end < 0 ? /^\d*$/ : /^\d+$/).test(digits) || (end < 0 && digits.length > LENGTH_DIGITS_MAX))
    return malformed('the length is not a decimal number')
  if (end < 0) return { state: 'incomplete' }
  const length = Number(digits)
  if (length > REQUEST_BYTES_MAX)
    return malformed(`a request of ${length} bytes is longer than ${REQUEST_BYTES_MAX}`)
  const start = end + 1
  if (received.length < start + length) return { state: 'incomplete' }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      received.subarray(start, start + length),
    )
    return { state: 'complete', body: JSON.parse(text) as Json }
  } catch {
    return malformed('the request is not JSON in UTF-8')
  }
}

/** Gathers a request chunk by chunk, however small the chunks are. */
export function createFrameReader(): (chunk: Buffer) => Frame {
  let buffer = Buffer.alloc(4096)
  let length = 0
  return (chunk) => {
    if (length + chunk.length > buffer.length) {
      const larger = Buffer.alloc(Math.max(2 * buffer.length, length + chunk.length))
      buffer.copy(larger, 0, 0, length)
      buffer = larger
    }
    length += chunk.copy(buffer, length)
    return parseFrame(buffer.subarray(0, length))
  }
}

export function renderFrame(body: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(body))
  return Buffer.concat([Buffer.from(`${json.length}\n`), json])
}
