/** Rules as text, and nft's own verdict on them in a namespace that ends with it. */
import { expect, test } from 'vitest'
import { type LvsConfig, parseLvs } from '../../src/dataplane/keepalived/lvs-reading.ts'
import { removal, renderLvsRules } from '../../src/dataplane/keepalived/lvs-rules.ts'

const service = (protocol: string, endpoints: readonly string[]) => ({
  protocol,
  endpoints,
  scheduler: 'wrr',
  persistent: false,
  servers: [],
})
const config = (over: Partial<LvsConfig>): LvsConfig => ({ ...parseLvs(''), ...over })
const limited = config({
  services: [service('UDP', ['10.0.0.2:53']), service('UDP', ['[fd00::2]:53'])],
  allowed_cidrs: ['10.0.0.0/8', '10.1.0.0/16', 'fd00::/8', 'a; flush ruleset'],
})
const open = config({ services: [service('SCTP', ['10.0.0.2:53'])] })

test('who is allowed is let through, everybody else is not', () => {
  const text = renderLvsRules([open, limited])
  expect(text).toContain(`  chain allowed_0 {
    ip saddr 10.0.0.0/8 return
    ip saddr 10.1.0.0/16 return
    ip6 saddr fd00::/8 return
    drop
  }
`)
  expect(text).toContain('ip daddr 10.0.0.2 udp dport 53 jump allowed_0')
  expect(text).toContain('ip6 daddr fd00::2 udp dport 53 jump allowed_0')
  expect(text).not.toContain('sctp dport')
  expect(text).not.toContain('flush')
})

test('what IPVS sends on leaves with our address, and TCP is not tracked', () => {
  const text = renderLvsRules([open])
  expect(text).toContain('meta l4proto { udp, sctp } masquerade')
  expect(text.match(/meta l4proto tcp notrack/g)?.length).toBe(2)
})

test('a new set of rules replaces the last one as a whole', () => {
  expect(renderLvsRules([])).toMatch(/^table inet octavia_lvs\ndelete table inet octavia_lvs\n/)
  expect(removal()).toBe('table inet octavia_lvs\ndelete table inet octavia_lvs\n')
})

const NFT = Bun.which('nft', { PATH: `${process.env.PATH}:/usr/sbin` })
const able = NFT !== null && Bun.spawnSync(['unshare', '--net', NFT, 'list', 'tables']).success
test.skipIf(!able)(
  `nft takes the rules, again and again${able ? '' : ' (needs nft and root)'}`,
  () => {
    const script = [renderLvsRules([limited, open]), renderLvsRules([open]), removal()].join('')
    const { exitCode, stderr } = Bun.spawnSync(['unshare', '--net', NFT ?? '', '-c', '-f', '-'], {
      stdin: new TextEncoder().encode(script),
    })
    expect([exitCode, stderr.toString()]).toEqual([0, ''])
  },
)
