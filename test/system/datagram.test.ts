import { createSocket } from 'node:dgram'
import { expect, test, vi } from 'vitest'
import { nextLookMs, systemDatagrams } from '../../src/system/datagram.ts'

const OPTIONS = { port: 0, receive_buffer_bytes: 1 << 20 }

async function send(port: number, address: string, texts: readonly string[]): Promise<void> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  for (const text of texts)
    await new Promise<void>((resolve) => socket.send(text, port, address, () => resolve()))
  socket.close()
}

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['::', '127.0.0.1'],
])('what is sent to %s arrives, the empty one too', async (address, to) => {
  const got: string[] = []
  const listener = await systemDatagrams.listen(
    { address, ...OPTIONS },
    { datagram: (bytes) => got.push(Buffer.from(bytes).toString()), failed: () => {} },
  )
  await send(listener.port, to, ['one', '', 'x'.repeat(9000)])
  await vi.waitFor(() => expect(got).toEqual(['one', '', 'x'.repeat(9000)]), { timeout: 5000 })
  await listener.close()
})

test('what has arrived is handed over in order before the end', async () => {
  const got: number[] = []
  const listener = await systemDatagrams.listen(
    { address: '127.0.0.1', ...OPTIONS, receive_buffer_bytes: 8 << 20 },
    { datagram: (bytes) => got.push(Number(Buffer.from(bytes).toString())), failed: () => {} },
  )
  const all = Array.from({ length: 150 }, (_, at) => at)
  await send(listener.port, '127.0.0.1', all.map(String))
  await listener.close()
  await listener.close()
  expect(got).toEqual(all)
})

test('an address that is taken, and one that is none', async () => {
  const handlers = { datagram: () => {}, failed: () => {} }
  const first = await systemDatagrams.listen({ address: '127.0.0.1', ...OPTIONS }, handlers)
  const second = { address: '127.0.0.1', ...OPTIONS, port: first.port }
  await expect(systemDatagrams.listen(second, handlers)).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
  await first.close()
  const third = await systemDatagrams.listen(second, handlers)
  await third.close()
  await expect(
    systemDatagrams.listen({ address: 'nowhere', ...OPTIONS }, handlers),
  ).rejects.toThrow('nowhere is no address')
  await expect(
    systemDatagrams.listen({ address: '192.0.2.1', ...OPTIONS }, handlers),
  ).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
})

test.each([
  ['nothing', 0, 1000, 1000],
  ['a few', 50, 1000, 1000],
  ['more than may wait', 400, 1000, 250],
  ['as many still', 100, 125, 125],
  ['more than one look reads', 1000, 1000, 0],
])('the next look after %s', (_, found, elapsed_ms, wait_ms) => {
  expect(nextLookMs(found, elapsed_ms, 100)).toBe(wait_ms)
})
