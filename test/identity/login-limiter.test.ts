import { expect, test } from 'vitest'
import { createLoginLimiter } from '../../src/identity/login-limiter.ts'

function create(failures_max = 3) {
  let now = 1_000_000
  const limiter = createLoginLimiter({ clock: { now: () => now } }, { failures_max })
  const fail = (times: number, user = 'joe', source = '192.0.2.1'): void => {
    for (let i = 0; i < times; i++) limiter.failed(user, source)
  }
  const advance = (ms: number): void => {
    now += ms
  }
  return { limiter, fail, advance }
}

test('every failure from the limit on doubles the wait, up to a quarter of an hour', () => {
  const { limiter, fail } = create()
  const waits: number[] = []
  for (let i = 0; i < 16; i++) {
    fail(1)
    waits.push(limiter.wait_s('joe', '192.0.2.1'))
  }
  expect(waits).toEqual([0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900])
})

test('time ends the wait, and later the memory', () => {
  const { limiter, fail, advance } = create()
  fail(5)
  advance(3_999)
  expect(limiter.wait_s('joe', '192.0.2.1')).toBe(1)
  advance(1)
  expect(limiter.wait_s('joe', '192.0.2.1')).toBe(0)
  fail(1)
  expect(limiter.wait_s('joe', '192.0.2.1')).toBe(8)
  advance(15 * 60_000 + 1)
  fail(1)
  expect(limiter.wait_s('joe', '192.0.2.1')).toBe(0)
})

test('success begins anew', () => {
  const { limiter, fail } = create()
  fail(2)
  limiter.succeeded('joe', '192.0.2.1')
  fail(2)
  expect(limiter.wait_s('joe', '192.0.2.1')).toBe(0)
})

test('nobody is locked out from elsewhere, nor for the failures of others', () => {
  const { limiter, fail } = create()
  fail(10)
  expect(limiter.wait_s('joe', '192.0.2.2')).toBe(0)
  expect(limiter.wait_s('ann', '192.0.2.1')).toBe(0)
})

test('many names from one source are a guess too, and an IPv6 network is one source', () => {
  const { limiter } = create()
  for (let i = 0; i < 30; i++) limiter.failed(`user${i}`, `2001:db8::${i}`)
  expect(limiter.wait_s('somebody', '2001:db8::ffff')).toBe(1)
  expect(limiter.wait_s('somebody', '2001:db8:0:1::1')).toBe(0)
  for (let i = 0; i < 30; i++) limiter.failed(`user${i}`, `::ffff:192.0.2.${i}`)
  expect(limiter.wait_s('somebody', '::ffff:192.0.2.1')).toBe(0)
})

test('a flood of names does not make it forget its source', () => {
  const { limiter } = create()
  for (let i = 0; i < 20_000; i++) limiter.failed(`user${i}`, '192.0.2.1')
  expect(limiter.wait_s('new', '192.0.2.1')).toBe(900)
  // The oldest of 10,000 entries are gone.
  expect(limiter.wait_s('user0', '192.0.2.9')).toBe(0)
})
