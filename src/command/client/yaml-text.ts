/** YAML in block style with sorted keys; what could be read as something else is quoted. */
import { isObject } from '../../model/field.ts'

export function yamlText(value: unknown): string {
  if (Array.isArray(value) && value.length === 0) return '[]\n'
  return `${lines(value).join('\n')}\n`
}

function lines(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.length > 0)
    return value.flatMap((each) => {
      const [first = '', ...rest] = lines(each)
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)]
    })
  if (isObject(value) && Object.keys(value).length > 0)
    return Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([key, each]) => {
        const inner = lines(each)
        if (isNested(each)) {
          // A list in a map is not indented in PyYAML's style, a map in a map is.
          const indent = Array.isArray(each) ? '' : '  '
          return [`${scalar(key)}:`, ...inner.map((line) => `${indent}${line}`)]
        }
        return [`${scalar(key)}: ${inner.join('')}`]
      })
  return [scalar(value)]
}

function isNested(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isObject(value) && Object.keys(value).length > 0
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return '[]'
  if (isObject(value)) return '{}'
  if (typeof value !== 'string') return String(value)
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value)) return JSON.stringify(value)
  return isPlain(value) ? value : `'${value.replaceAll("'", "''")}'`
}

/** What YAML 1.1 or 1.2 takes for a number, a time of day included, and `=` and `<<`. */
const NUMBER =
  /^[-+]?(\d[\d_]*\.?[\d_]*(e[-+]?\d+)?|\.\d[\d_]*(e[-+]?\d+)?|\d+(:[0-5]?\d)+|0[xob][\da-f_]+|\.(inf|nan))$|^(=|<<)$/i

/** Plain only when nothing could be taken for syntax, a number, a time or a word with a meaning. */
function isPlain(text: string): boolean {
  if (text === '' || text !== text.trim()) return false
  if (/^[-?:,[\]{}#&*!|>'"%@`]/.test(text) && !/^[-?:][^\s]/.test(text)) return false
  if (/:(\s|$)|\s#/.test(text)) return false
  if (/^(null|true|false|yes|no|on|off|~)$/i.test(text)) return false
  if (/^\d{4}-\d{1,2}-\d{1,2}/.test(text)) return false
  return !NUMBER.test(text)
}
