/** Texts as cliff prints them for the same values. */
import { expect, test } from 'vitest'
import { formatResult } from '../../../src/command/client/format.ts'
import type { Result } from '../../../src/command/client/run.ts'
import { TABLES } from '../../../src/command/client/tables.ts'

function format(command: string, result: Result, values: Record<string, unknown> = {}): string {
  const table = TABLES.find((each) => each.command === command)
  if (table === undefined) throw new Error(command)
  const input = { positionals: [], values: new Map(Object.entries(values)) }
  return formatResult(result, table, input, 0)
}

const ROWS: Result = {
  kind: 'list',
  columns: ['name', 'weight', 'backup', 'monitor_port'],
  rows: [
    { name: 'b', weight: 10, backup: true, monitor_port: null },
    { name: 'ä "x", y', weight: 2, backup: false, monitor_port: 80 },
  ],
}

test('a list as a table', () => {
  expect(format('member', ROWS)).toBe(
    [
      '+----------+--------+--------+--------------+',
      '| name     | weight | backup | monitor_port |',
      '+----------+--------+--------+--------------+',
      '| b        |     10 | True   | None         |',
      '| ä "x", y |      2 | False  | 80           |',
      '+----------+--------+--------+--------------+',
      '',
    ].join('\n'),
  )
})

test('a list without rows', () => {
  const none: Result = { kind: 'list', columns: ['id'], rows: [] }
  expect(format('member', none)).toBe('\n')
  expect(format('member', none, { 'print-empty': true })).toBe('+----+\n| id |\n+----+\n')
  expect(format('member', none, { format: 'json' })).toBe('[]\n')
  expect(format('member', none, { format: 'yaml' })).toBe('[]\n')
})

test('a list as csv, value, json, yaml', () => {
  expect(format('member', ROWS, { format: 'csv' })).toBe(
    '"name","weight","backup","monitor_port"\n"b",10,True,""\n"ä ""x"", y",2,False,80\n',
  )
  expect(format('member', ROWS, { format: 'csv', quote: 'minimal' })).toContain('b,10,True,\n')
  expect(format('member', ROWS, { format: 'value' })).toBe('b 10 True None\nä "x", y 2 False 80\n')
  expect(JSON.parse(format('member', ROWS, { format: 'json' }))).toEqual(
    (ROWS as { rows: unknown }).rows,
  )
  expect(format('member', ROWS, { format: 'json', noindent: true }).split('\n')).toHaveLength(2)
  expect(format('member', ROWS, { format: 'yaml' })).toBe(
    '- backup: true\n  monitor_port: null\n  name: b\n  weight: 10\n' +
      '- backup: false\n  monitor_port: 80\n  name: ä "x", y\n  weight: 2\n',
  )
})

test('sorting puts null last, and the first column weighs most', () => {
  const by = (values: Record<string, unknown>) =>
    format('member', ROWS, { format: 'value', column: ['name'], ...values })
  expect(by({ 'sort-column': ['monitor_port'] })).toBe('ä "x", y\nb\n')
  expect(by({ 'sort-column': ['weight'] })).toBe('ä "x", y\nb\n')
  expect(by({ 'sort-column': ['weight'], descending: true })).toBe('b\nä "x", y\n')
})

const ONE: Result = {
  kind: 'one',
  columns: ['created_at', 'insert_headers', 'l7policies', 'name', 'sni_container_refs', 'tags'],
  row: {
    created_at: '2026-01-02T03:04:05',
    insert_headers: { 'X-Forwarded-For': 'true' },
    l7policies: [],
    name: 'on',
    sni_container_refs: ["it's"],
    tags: ['a', 'b'],
  },
}

test('one as a table: lists in lines, maps in pairs, the rest as Python has it', () => {
  expect(format('listener', ONE)).toBe(
    [
      '+--------------------+----------------------+',
      '| Field              | Value                |',
      '+--------------------+----------------------+',
      '| created_at         | 2026-01-02T03:04:05  |',
      '| insert_headers     | X-Forwarded-For=true |',
      '| l7policies         | None                 |',
      '| name               | on                   |',
      '| sni_container_refs | ["it\'s"]             |',
      '| tags               | a                    |',
      '|                    | b                    |',
      '+--------------------+----------------------+',
      '',
    ].join('\n'),
  )
})

test('one for machines keeps its types', () => {
  expect(JSON.parse(format('listener', ONE, { format: 'json' }))).toEqual(
    (ONE as { row: unknown }).row,
  )
  const yaml = format('listener', ONE, { format: 'yaml' })
  expect(Bun.YAML.parse(yaml)).toEqual((ONE as { row: unknown }).row as object)
  expect(yaml).toContain("created_at: '2026-01-02T03:04:05'\n")
  expect(yaml).toContain("name: 'on'\n")
  expect(format('listener', ONE, { format: 'value', column: ['tags'] })).toBe("['a', 'b']\n")
})

test('a whole number in a field of real numbers is one', () => {
  const row = { http_version: 1 }
  const monitor: Result = { kind: 'one', columns: ['http_version'], row }
  expect(format('healthmonitor', monitor, { format: 'value' })).toBe('1.0\n')
})

test('unknown columns are a mistake; unknown fields are empty', () => {
  expect(() => format('member', ROWS, { column: ['nam'] })).toThrow('the columns are name, weight')
  const old: Result = { kind: 'one', columns: ['new_field'], row: {} }
  expect(format('member', old, { format: 'json' })).toBe('{\n  "new_field": ""\n}\n')
})

test('a table is wrapped to a width', () => {
  const text = format('listener', ONE, { 'max-width': 40 })
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(40)
})

test.each([
  ['yes', "'yes'"],
  ['12', "'12'"],
  ['1.5', "'1.5'"],
  ['- a', "'- a'"],
  ['a: b', "'a: b'"],
  ['a #b', "'a #b'"],
  ['', "''"],
  ['~', "'~'"],
  ['2001:db8::1', '2001:db8::1'],
  ['a\nb', '"a\\nb"'],
  ['*', "'*'"],
  ['a-b_c.d/e', 'a-b_c.d/e'],
])('yaml of %j', (text, expected) => {
  const yaml = format('lb', { kind: 'one', columns: ['n'], row: { n: text } }, { format: 'yaml' })
  expect(yaml).toBe(`n: ${expected}\n`)
  expect(Bun.YAML.parse(yaml)).toEqual({ n: text })
})
