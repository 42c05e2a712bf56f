import { expect, test } from 'vitest'
import { parseOsloFile, substituted } from '../../src/config/oslo-file.ts'

function values(text: string): unknown {
  const file = parseOsloFile(text)
  if ('error' in file) return file.error
  return file.lines.map(({ section, option, value }) => `${section}.${option}=${value}`)
}

test.each([
  ['# c\n[a]\nx = 1\n; c\ny: 2\n', ['a.x=1', 'a.y=2']],
  ['[a]\nx = a = b # no comment\n', ['a.x=a = b # no comment']],
  ['[a]\r\nx = "quoted"\r\ny = \'q\'\nz = "odd\n', ['a.x=quoted', 'a.y=q', 'a.z="odd']],
  ['[a]\nx = one,\n  two\n\ty\n', ['a.x=one,\ntwo\ny']],
  ['[a]\nx =\n[b]\nx=1\n', ['a.x=', 'b.x=1']],
  ['', []],
  ['x = 1\n', 'line 1 comes before the first [section]'],
  ['[a]\nnonsense\n', 'line 2 is neither a section nor name = value'],
  ['[a]\n= 1\n', 'line 2 is neither a section nor name = value'],
  ['[]\n', 'line 1: a section without a name'],
  ['[a]\nx = 1\n\n  more\n', 'line 4 goes on with a value that never began'],
  ['[a]\n  more\n', 'line 2 goes on with a value that never began'],
])('%j', (text, expected) => {
  expect(values(text)).toEqual(expected)
})

test.each([
  ['[a]\ny = 1\nx = $y', '1'],
  [`[DEFAULT]\nip = 10.0.0.1\n[a]\nx = http://\${ip}:80`, 'http://10.0.0.1:80'],
  [`[b]\nip = 10.0.0.1\n[a]\nx = \${b.ip}`, '10.0.0.1'],
  ['[a]\ny = $z\nz = 2\nx = $y$y', '22'],
  ['[a]\nx = pa$$word', 'pa$word'],
  ['[a]\nx = 5$', '5$'],
  ['[a]\ny = 1\ny = 2\nx = $y', '2'],
  ['[a]\nx = $none', undefined],
  ['[a]\ny = $x\nx = $y', undefined],
])('names are filled in: %j', (text, expected) => {
  const file = parseOsloFile(text)
  if ('error' in file) throw new Error(file.error)
  const last = file.lines.at(-1)
  expect(last && substituted(file.lines, last)).toBe(expected)
})
