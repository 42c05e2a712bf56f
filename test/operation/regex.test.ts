/** Regular expressions that haproxy takes, and such that it refuses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { regexFault } from '../../src/operation/regex.ts'
import { createRandom } from '../fuzz/random.ts'

test.each([
  '^/(a|b)\\d+$',
  '[a-z]+',
  '[]a]',
  '[^]a]',
  '(?i)x',
  '(?P<n>a)(?P=n)',
  '(a)\\1',
  'a++',
  '(?>a)b',
  '[\\w-]',
  '[a\\-z]',
  '\\/\\.',
  'a?+b*?c{2,}+d',
  '[?+*]+',
  '\\+++',
])('%s is taken', (text) => {
  expect(regexFault(text)).toBeUndefined()
})

test.each([
  '[]B--]',
  '(',
  '[a',
  '\\u0041',
  '(a)\\2',
  '[\\w-z]',
  '[a-\\d]',
  '*a',
  'a{2,1}',
  'a?+?',
  'a+?+',
  '(?<=a+)b',
  '(?<!a|bc)d',
  'a{70000}',
  '\\p{L}',
  '\\x{41}',
  '[[:alpha:]]',
  '[:alpha:]',
  '(?P=n)',
  '\\k<n>',
  '(?P<1>a)',
])('%s is refused', (text) => {
  expect(regexFault(text)).toBeDefined()
})

const HAPROXY = Bun.which('haproxy', { PATH: `${process.env.PATH}:/usr/sbin` })
const PARTS = [
  ...['a', 'b', '(', ')', '[', '[^', ']', '|', '*', '+', '?', '{2}', '{2,}', '{2,3}', '{70000}'],
  ...['(?:', '(?<=', '(?<!', '(?=', '(?!', '(?P<n>', '(?P=n)', '(?<m>', '\\k<m>', '(?P<1>', '(?>'],
  ...['\\d', '\\w', '\\b', '\\p{L}', '\\x4', '\\x41', '\\x{41}', '\\1', '\\2', '\\8', '\\0', '\\Q'],
  ...['\\E', '\\K', '\\h', '\\z', '\\Z', '\\G', '\\c', '\\N', '\\X', '\\C', '\\R', '\\.', '\\-'],
  ...['[:alpha:]', '[[:alpha:]]', '[[:foo:]]', '[.a.]', '[=a=]', '(?i)', '(?#x)', '(?1)', '(?R)'],
  ...['(*FAIL)', '-', '^', '$', '.', '{', '}', ',', '\\/', '[a-', '-z]', '\\]', '\\[', ':', '='],
]

test.skipIf(HAPROXY === null)(
  `haproxy takes whatever of thousands of random ones is taken${HAPROXY === null ? ' (needs haproxy)' : ''}`,
  () => {
    const random = createRandom(20_261_129)
    const taken: string[] = []
    for (let n = 0; n < 30_000; n++) {
      const text = Array.from({ length: random.between(1, 7) }, () => random.pick(PARTS)).join('')
      if (regexFault(text) === undefined) taken.push(text)
    }
    expect(taken.length).toBeGreaterThan(1_000)
    const lines = taken.map(
      (text) => `    acl x path -m reg -- ${text.replace(/[\\ #'"]/g, '\\$&')}`,
    )
    const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-regex-'))
    const file = join(folder, 'haproxy.cfg')
    writeFileSync(file, `${['frontend f', '    mode http', ...lines].join('\n')}\n`)
    const { stderr } = Bun.spawnSync([HAPROXY ?? '', '-c', '-f', file])
    rmSync(folder, { recursive: true })
    const refused = [...stderr.toString().matchAll(/haproxy\.cfg:(\d+)\].*ACL.*/g)]
    expect(refused.map(([said, line]) => [taken[Number(line) - 3], said])).toEqual([])
  },
)
