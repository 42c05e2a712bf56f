import { expect, test } from 'vitest'
import { droppingChains } from '../../../src/driver/local/firewall.ts'

test.each<[string, string, string[]]>([
  [
    'Docker',
    '{"nftables":[{"metainfo":{}},{"chain":{"family":"ip","table":"filter","name":"FORWARD","hook":"forward","policy":"drop"}}]}',
    ['FORWARD'],
  ],
  [
    'accepting',
    '{"nftables":[{"chain":{"family":"ip","table":"filter","name":"FORWARD","hook":"forward","policy":"accept"}}]}',
    [],
  ],
  [
    'input only',
    '{"nftables":[{"chain":{"family":"inet","table":"t","name":"in","hook":"input","policy":"drop"}}]}',
    [],
  ],
  ['no rules', '{"nftables":[{"metainfo":{}}]}', []],
  ['no JSON', 'Operation not permitted', []],
  ['another shape', '{"nftables":7}', []],
])('dropping chains: %s', (_, listing, expected) => {
  expect(droppingChains(listing).map(({ name }) => name)).toEqual(expected)
})
