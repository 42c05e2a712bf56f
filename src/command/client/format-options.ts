/** The options by which results are printed, those of cliff. */
import { flag, type Option, textOption } from './option.ts'

export const QUOTE_MODES = ['all', 'minimal', 'none', 'nonnumeric'] as const

const COLUMN = textOption('column', 'Print this column; can be repeated.', {
  short: 'c',
  repeats: true,
})
const NOINDENT = flag('noindent', 'Print JSON in one line.')
const WIDTHS = [
  textOption('max-width', 'Wrap a table to this width; 0 is no limit.', {
    read: (text) => Number.parseInt(text, 10) || 0,
  }),
  flag('fit-width', 'Wrap a table to the width of the terminal.'),
]

export const SHOW_OPTIONS: readonly Option[] = [
  format(['json', 'table', 'value', 'yaml']),
  COLUMN,
  NOINDENT,
  ...WIDTHS,
]

export const LIST_OPTIONS: readonly Option[] = [
  format(['csv', 'json', 'table', 'value', 'yaml']),
  COLUMN,
  textOption('sort-column', 'Sort by this column; can be repeated.', { repeats: true }),
  flag('sort-ascending', 'Smallest first, the default.', {
    field: 'descending',
    value: false,
    group: 'direction',
  }),
  flag('sort-descending', 'Largest first.', {
    field: 'descending',
    value: true,
    group: 'direction',
  }),
  textOption('quote', 'What CSV quotes (default nonnumeric).', { choices: QUOTE_MODES }),
  NOINDENT,
  flag('print-empty', 'Print a table without rows too.'),
  ...WIDTHS,
]

function format(choices: readonly string[]): Option {
  return textOption('format', 'How to print it (default table).', {
    short: 'f',
    choices,
    metavar: `{${choices.join(',')}}`,
  })
}
