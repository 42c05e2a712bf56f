import { expect, test } from 'vitest'
import { DEFAULT_MANAGEMENT, DEFAULT_NETWORKS } from '../../../src/driver/local/cloud.ts'
import { refuseWithoutIpv6 } from '../../../src/driver/local/conflict.ts'
import { createTopology, type NetworkOptions } from '../../../src/driver/local/topology.ts'

const six = (host_access: boolean): NetworkOptions[] => [
  { name: 'six', cidr: '2001:db8::/64', host_access },
]

test.each<[string, readonly NetworkOptions[], string | undefined, RegExp | null]>([
  ['IPv4 only', DEFAULT_NETWORKS, '1\n', null],
  ['IPv6 that this host does not reach', six(false), '1\n', null],
  ['IPv6 switched on', six(true), '0\n', null],
  ['IPv6 switched off', six(true), '1\n', /six: this host is to have 2001:db8::1, and IPv6 is dis/],
  ['a kernel without IPv6', six(true), undefined, /disable_ipv6=0, or host_access = false/],
])('%s', (_, networks, disable_ipv6, sentence) => {
  const refuse = (): void =>
    refuseWithoutIpv6(createTopology('d', networks, DEFAULT_MANAGEMENT), disable_ipv6)
  if (sentence === null) expect(refuse).not.toThrow()
  else expect(refuse).toThrow(sentence)
})
