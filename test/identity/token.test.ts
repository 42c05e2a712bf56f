import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Claims, openToken, sealToken } from '../../src/identity/token.ts'

const CLAIMS: Claims = {
  user_id: 'u'.repeat(32),
  project_id: 'p'.repeat(32),
  token_version: 3,
  credential_id: null,
  methods: ['password'],
  audit_id: 'audit',
  issued_ms: 1,
  expires_ms: 2,
}

test('a token says what it was made of', () => {
  const token = sealToken('key', CLAIMS)
  expect(openToken('key', token)).toEqual(CLAIMS)
  // Goes into a header, a URL and a shell without quoting.
  expect(token).toMatch(/^[\w.-]{1,1024}$/)
})

test('another key makes another token', () => {
  expect(openToken('other', sealToken('key', CLAIMS))).toBeUndefined()
})

test('no character can be changed, left out or added', () => {
  const token = sealToken('key', CLAIMS)
  for (let at = 0; at < token.length; at++) {
    for (const char of ['A', 'B', '_', '.', '=']) {
      const changed = token.slice(0, at) + char + token.slice(at + 1)
      if (changed !== token) expect(openToken('key', changed), changed).toBeUndefined()
    }
    expect(openToken('key', token.slice(0, at) + token.slice(at + 1))).toBeUndefined()
  }
  for (const more of ['A', '=', '.', '.AAAA', '\n', ' '])
    expect(openToken('key', token + more)).toBeUndefined()
})

test.each([
  '',
  '.',
  'ol1..',
  'gAAAAABf',
  'ol1.e30.',
  `ol1.${'A'.repeat(5_000)}.${'A'.repeat(43)}`,
  // Signed without what binds the signature to tokens.
  `ol1.e30.${createHmac('sha256', 'key').update('e30').digest('base64url')}`,
])('is none: %s', (token) => {
  expect(openToken('key', token)).toBeUndefined()
})
