import { expect, test } from 'vitest'
import {
  createFrameReader,
  parseFrame,
  REQUEST_BYTES_MAX,
  renderFrame,
} from '../../../src/provider/agent/frame.ts'

test.each([
  ['nothing', '', 'incomplete'],
  ['digits only', '12', 'incomplete'],
  ['half a body', '4\n{}', 'incomplete'],
  ['a body', '2\n{}', 'complete'],
  ['a body and more', '2\n{}{}', 'complete'],
  ['leading zeros', '0002\n{}', 'complete'],
  ['no digits', '\n{}', 'malformed'],
  ['an empty body', '0\n', 'malformed'],
  ['a negative length', '-2\n{}', 'malformed'],
  ['a hexadecimal length', '0x2\n{}', 'malformed'],
  ['HTTP', 'GET / HTTP/1.1\r\n', 'malformed'],
  ['digits without end', '12345678901', 'malformed'],
  ['a body too long', `${REQUEST_BYTES_MAX + 1}\n`, 'malformed'],
  ['the longest body', `${REQUEST_BYTES_MAX}\n`, 'incomplete'],
  ['no JSON', '3\n{a}', 'malformed'],
  ['half a character', Buffer.from([0x33, 0x0a, 0x22, 0xc3, 0x22]), 'malformed'],
])('%s is %3$s', (_, bytes, state) => {
  expect(parseFrame(Buffer.from(bytes as string)).state).toBe(state)
})

test('a frame is read from single bytes and is what was rendered', () => {
  const body = { name: 'ä'.repeat(5000) }
  const read = createFrameReader()
  const frames = [...renderFrame(body)].map((byte) => read(Buffer.from([byte])))
  expect(frames.slice(0, -1).every((frame) => frame.state === 'incomplete')).toBe(true)
  expect(frames.at(-1)).toEqual({ state: 'complete', body })
})
