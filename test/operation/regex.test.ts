/** Regular expressions that haproxy takes, and such that it refuses. */
import { expect, test } from 'vitest'
import { regexFault } from '../../src/operation/regex.ts'

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
])('%s is refused', (text) => {
  expect(regexFault(text)).toBeDefined()
})
