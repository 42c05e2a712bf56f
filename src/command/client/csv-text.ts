import type { QUOTE_MODES } from './format-options.ts'
import { pythonText } from './python-text.ts'

/** Rows as Python's csv module writes them: strings are quoted, numbers are not. Pure. */
export function csvText(
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
  mode: unknown,
): string {
  const quote = (mode ?? 'nonnumeric') as (typeof QUOTE_MODES)[number]
  return [columns, ...rows]
    .map((row) => `${row.map((cell) => csvCell(cell, quote)).join(',')}\n`)
    .join('')
}

function csvCell(cell: unknown, mode: (typeof QUOTE_MODES)[number]): string {
  const text = cell === null || cell === undefined ? '' : pythonText(cell)
  const plain = typeof cell === 'number' || typeof cell === 'boolean'
  if (mode === 'none') return text.replace(/[\\,"\n\r]/g, '\\$&')
  const needed = /[,"\n\r]/.test(text)
  const quote = mode === 'all' || (mode === 'nonnumeric' && !plain) || needed
  return quote ? `"${text.replaceAll('"', '""')}"` : text
}
