import { expect, test } from 'vitest'
import {
  blankComments,
  blankText,
  codeLength,
  findCycle,
  findFunctions,
  findImports,
  reachable,
} from './scan.ts'

test('imports of every form are found, quoted ones are not', () => {
  const text = [
    "import { a } from '../system/log.ts'",
    "import type { B } from '../model/field.ts'",
    'import {',
    '  type C,',
    '  c,',
    "} from './c.ts'",
    "import './side.ts'",
    "import text from './x.sql' with { type: 'text' }",
    "export { d } from './d.ts'",
    "const e = await import('./e.ts')",
    "type F = import('./f.ts').F",
    'const quoted = "import(\'./q.ts\')"',
    "// import { g } from './g.ts'",
    "/* export { h } from './h.ts' */",
    "const i = 'https://x' // import { j } from './j.ts'",
    "import { readFileSync } from 'node:fs'",
  ].join('\n')
  const found = findImports('src/api/a.ts', text)
  expect(found.map(({ specifier, target, typeOnly }) => [specifier, target, typeOnly])).toEqual([
    ['../system/log.ts', 'src/system/log.ts', false],
    ['../model/field.ts', 'src/model/field.ts', true],
    ['./c.ts', 'src/api/c.ts', false],
    ['./side.ts', 'src/api/side.ts', false],
    ['./x.sql', 'src/api/x.sql', false],
    ['./d.ts', 'src/api/d.ts', false],
    ['node:fs', null, false],
    ['./e.ts', 'src/api/e.ts', false],
    ['./f.ts', 'src/api/f.ts', false],
  ])
})

test('comments become blank and lines stay', () => {
  expect(blankComments("a // b\n/* c\n */ d '// e' // f")).toBe("a     \n    \n    d '// e'     ")
})

test('quotes in a regular expression open no string', () => {
  const text = "if (/['`]/.test(a)) b() // c\nd = e / 2 / f // '\n"
  expect(blankComments(text)).toBe("if (/['`]/.test(a)) b()     \nd = e / 2 / f     \n")
  expect(blankText(text)).toBe('if (/    /.test(a)) b()     \nd = e / 2 / f     \n')
})

test('functions of every form are measured', () => {
  const text = [
    'export function one(a: string): void {',
    '  if (a) {',
    "    print('}')",
    '  }',
    '}',
    'export async function two(',
    '  a: string,',
    '): Promise<void> {',
    '  await a',
    '}',
    'const three = (a: string) => {',
    '  return a',
    '}',
    'class A {',
    '  #b(): void {',
    '    a()',
    '  }',
    '  async c(',
    '    d: number,',
    '  ) {',
    '    for (const e of f) {',
    '      g(() => {',
    '        h()',
    '      })',
    '    }',
    '  }',
    '}',
    'const four = () => ({',
    '  a: 1,',
    '})',
    'interface I {',
    '  a: string',
    '}',
    'const table = {',
    '  a: 1,',
    '}',
  ].join('\n')
  expect(findFunctions(text).map(({ line, lines }) => [line, lines])).toEqual([
    [1, 5],
    [6, 5],
    [11, 3],
    [15, 3],
    [18, 9],
    [22, 3],
    [28, 3],
  ])
})

test('a string cannot be broken, so it does not make a line long', () => {
  const long = 'x'.repeat(120)
  expect(codeLength(`throw new Error('${long}')`)).toBeLessThan(100)
  expect(codeLength(`// see https://example.org/${long}`)).toBe(0)
  expect(codeLength(`// ${long}`)).toBe(123)
})

test('a cycle is found and told', () => {
  const imports = new Map([
    ['a', ['b', 'c']],
    ['b', ['d']],
    ['c', ['d']],
    ['d', ['e']],
    ['e', ['b']],
  ])
  expect(findCycle(imports)).toEqual(['b', 'd', 'e', 'b'])
  imports.set('e', [])
  expect(findCycle(imports)).toBeUndefined()
  expect([...reachable(imports, ['c'])]).toEqual(['c', 'd', 'e'])
})
