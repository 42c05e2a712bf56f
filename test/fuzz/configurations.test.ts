import { expect, test } from 'vitest'
import { KEEPALIVED } from '../dataplane/keepalived.ts'
import { fuzzConfigurations } from './configurations.ts'

const HAPROXY = Bun.which('haproxy', { PATH: `${process.env.PATH}:/usr/sbin` })

test('hundreds of random load balancers: no line of nobody, none that haproxy refuses', () => {
  const options = { seed: 1, trees: 300, haproxy: HAPROXY, haproxy_version: '2.6.12' }
  const report = fuzzConfigurations({ ...options, keepalived: KEEPALIVED })
  expect(report.wrong).toEqual([])
  expect(report.lines).toBeGreaterThan(10_000)
})
