import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Derived } from '../../src/config/option.ts'
import { SECTIONS } from '../../src/config/options.ts'
import { blankComments, listFiles, readSource } from '../tidy/scan.ts'

const ALL = Object.entries(SECTIONS).flatMap(([section, options]) =>
  Object.entries(options).map(([name, option]) => [`${section}.${name}`, option] as const),
)

test('every option of upstream is known', () => {
  const upstream = readFileSync(new URL('./upstream-options.txt', import.meta.url), 'utf8')
  const names = upstream.trim().split('\n')
  expect(names.length).toBeGreaterThan(200)
  const known = new Set(
    ALL.flatMap(([name, { formerly }]) =>
      formerly === null ? [name] : [name, name.replace(/[^.]*$/, formerly)],
    ),
  )
  expect(names.filter((name) => !known.has(name))).toEqual([])
})

test('every option takes its own default, and says what it is', () => {
  for (const [name, option] of ALL) {
    expect([name, option.help]).toEqual([name, expect.stringMatching(/^[A-Za-z].*[.;]$/)])
    expect([name, option.reason === null]).toEqual([name, option.status !== 'obsolete'])
    const { fallback } = option
    if (fallback === null || fallback instanceof Derived || option.fields !== null) continue
    expect([name, option.parse(fallback)]).toEqual([name, { value: fallback }])
  }
})

test('what is named like a secret is one', () => {
  const suspicious = ALL.filter(([name]) =>
    /pass(word|phrase)|secret_key|heartbeat_key|transport_url|connection$/.test(name),
  )
  expect(suspicious.length).toBeGreaterThan(8)
  expect(suspicious.filter(([, option]) => !option.secret).map(([name]) => name)).toEqual([])
})

test('what is marked as used is named somewhere outside of config', () => {
  const root = new URL('../..', import.meta.url).pathname
  const code = listFiles(root, 'src', '.ts')
    .filter((path) => !path.startsWith('src/config/'))
    .map((path) => blankComments(readSource(root, path).text))
    .join('\n')
  const pretended = ALL.filter(
    ([name, option]) =>
      option.status === 'used' && !new RegExp(`\\b${name.replace(/.*\./, '')}\\b`).test(code),
  )
  expect(pretended.map(([name]) => name)).toEqual([])
})
