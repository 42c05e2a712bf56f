/** Results to text: what cliff prints for the same columns and values. Pure. */
import { isObject } from '../../model/field.ts'
import { CommandFailure, EXIT } from '../io.ts'
import { boxText } from './box-text.ts'
import { csvText } from './csv-text.ts'
import type { Input } from './parse.ts'
import { pythonText } from './python-text.ts'
import type { Result } from './run.ts'
import type { View } from './session.ts'
import type { ClientTable, Shape } from './table.ts'
import { yamlText } from './yaml-text.ts'

/** `width` is that of the terminal, 0 if there is none. */
export function formatResult(
  result: Result,
  table: ClientTable,
  { values }: Input,
  width: number,
): string {
  if (result.kind === 'nothing') return ''
  if (result.kind === 'json') return `${JSON.stringify(result.value, null, 4)}\n`
  const columns = chosen(result.columns, values.get('column'))
  const format = values.get('format') ?? 'table'
  const indent = values.get('noindent') === true ? undefined : 2
  const limit = Number(values.get('max-width') ?? 0) || (values.get('fit-width') ? width : 0)
  const cells = (row: View) => columns.map((column) => row[column] ?? missing(row, column))
  const named = (row: View) => Object.fromEntries(columns.map((c, i) => [c, cells(row)[i]]))
  const text = (row: View) =>
    columns.map((column, i) => shaped(cells(row)[i], table.shapes[column], isReal(table, column)))
  const machine = (row: View) =>
    columns.map((column, i) => pythonText(cells(row)[i], isReal(table, column)))
  if (result.kind === 'one') {
    const { row } = result
    if (format === 'json') return `${JSON.stringify(named(row), null, indent)}\n`
    if (format === 'yaml') return columns.map((c, i) => yamlText({ [c]: cells(row)[i] })).join('')
    if (format === 'value')
      return machine(row)
        .map((line) => `${line}\n`)
        .join('')
    const lines = text(row).map((value, i) => [columns[i] ?? '', value])
    return boxText(['Field', 'Value'], lines, ['left', 'left'], limit, 16)
  }
  const rows = sorted(result.rows, values)
  if (format === 'json') return `${JSON.stringify(rows.map(named), null, indent)}\n`
  if (format === 'yaml') return yamlText(rows.map(named))
  if (format === 'value') return rows.map((row) => `${machine(row).join(' ')}\n`).join('')
  if (format === 'csv') return csvText(columns, rows.map(cells), values.get('quote'))
  if (rows.length === 0 && values.get('print-empty') !== true) return '\n'
  const first = rows[0] === undefined ? [] : cells(rows[0])
  const sides = columns.map((_, i) => (typeof first[i] === 'number' ? 'right' : 'left'))
  return boxText(columns, rows.map(text), rows.length === 0 ? 'center' : sides, limit, 8)
}

/** What the server does not know is empty; what it knows as null is null. */
function missing(row: View, column: string): unknown {
  return Object.hasOwn(row, column) ? null : ''
}

function isReal(table: ClientTable, column: string): boolean {
  return table.fields[column]?.type.column === 'real'
}

function chosen(columns: readonly string[], wanted: unknown): readonly string[] {
  if (!Array.isArray(wanted) || wanted.length === 0) return columns
  const found = columns.filter((column) => wanted.includes(column))
  if (found.length > 0) return found
  throw new CommandFailure(
    `there is no column ${wanted.join(', ')}; the columns are ${columns.join(', ')}`,
    EXIT.usage,
  )
}

/** Null goes last in ascending order; columns named first weigh most. */
function sorted(rows: readonly View[], values: Input['values']): readonly View[] {
  const by = values.get('sort-column')
  if (!Array.isArray(by)) return rows
  const sign = values.get('descending') === true ? -1 : 1
  const compare = (a: unknown, b: unknown): number => {
    if (a === b) return 0
    if ((a ?? null) === null) return 1
    if ((b ?? null) === null) return -1
    if (typeof a === 'number' && typeof b === 'number') return a - b
    return String(a) < String(b) ? -1 : 1
  }
  return [...rows].sort((a, b) => {
    for (const column of by) {
      const order = compare(a[column], b[column])
      if (order !== 0) return order * sign
    }
    return 0
  })
}

/** For people: lists are lines, maps are pairs; what has no shape is as Python prints it. */
function shaped(value: unknown, shape: Shape | undefined, real: boolean): string {
  if (shape === undefined)
    return pythonText(value, real).replaceAll('\r\n', '\n').replaceAll('\r', ' ')
  if (Array.isArray(value) && value.length > 0)
    return value.map((each) => String(isObject(each) ? each.id : each)).join('\n')
  if (isObject(value) && Object.keys(value).length > 0)
    return Object.entries(value)
      .map(([key, each]) => `${key}=${pythonText(each)}`)
      .join('\n')
  return value === '' ? '' : 'None'
}
