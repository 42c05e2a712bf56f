import { expect, test } from 'vitest'
import { renderVipFilter } from '../../src/agent/vip-filter.ts'
import type { PacketRule } from '../../src/contract/routes.ts'

test.each<[PacketRule, string]>([
  [{ protocol: 'TCP', cidr: null, port: 80 }, 'tcp dport 80 accept'],
  [
    { protocol: 'UDP', cidr: '192.0.2.0/24', port: 53 },
    'ip saddr 192.0.2.0/24 udp dport 53 accept',
  ],
  [
    { protocol: 'SCTP', cidr: '2001:db8::/32', port: 7 },
    'ip6 saddr 2001:db8::/32 sctp dport 7 accept',
  ],
  [{ protocol: 'vrrp', cidr: null, port: null }, 'meta l4proto 112 accept'],
])('%j is %s', (rule, line) => {
  const text = renderVipFilter('eth1', [rule])
  expect(text).toContain(`chain amphora_vip_chain {\n    ${line}\n  }`)
  expect(text).toContain('iifname "eth1" goto amphora_vip_chain')
})

test('without rules nothing is let in, and what was there is replaced at once', () => {
  const text = renderVipFilter('eth1', [])
  expect(text).toContain('chain amphora_vip_chain {\n  }')
  expect(text).toContain('policy drop;')
  expect(text).toMatch(/^table inet amphora_table \{\}\ndelete table inet amphora_table\n/)
})
