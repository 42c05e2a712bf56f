/** The operator's own lines for haproxy. */
import { expect, test } from 'vitest'
import { parseAdditions, withAdditions } from '../../src/dataplane/haproxy/additions.ts'
import { line } from '../../src/dataplane/haproxy/line.ts'

test('lines by the kind of their section; comments are left out', () => {
  const text =
    '# mine\nglobal\n    tune.maxrewrite 4096\n\nfrontend\n\toption dontlognull\nglobal\n  x y\n'
  expect(parseAdditions(text)).toEqual({
    global: ['tune.maxrewrite 4096', 'x y'],
    frontend: ['option dontlognull'],
  })
  expect(parseAdditions('')).toEqual({})
})

test.each([
  ['    maxconn 5', 'line 1 stands before any section'],
  ['global\nlisten x', 'line 2 must be one of global, defaults, frontend, backend'],
  ['frontend mine', 'line 1 must be one of'],
  ['global\n    a\u0000b', 'line 2 has control characters'],
])('%j is refused', (text, message) => {
  expect(() => parseAdditions(text)).toThrow(message)
})

test('they go to the end of each section of their kind, but not of our own', () => {
  const additions = { backend: ['option tcp-smart-connect'] }
  const section = (head: string) => ({ head: line`backend ${head}`, lines: [line`mode http`] })
  const texts = (head: string) => withAdditions(section(head), additions).lines.map((l) => l.text)
  expect(texts('p:l')).toEqual(['mode http', 'option tcp-smart-connect'])
  expect(texts('prometheus-exporter-internal')).toEqual(['mode http'])
})
