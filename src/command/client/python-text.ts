/** A value as Python prints it, which is what scripts around upstream's client read. Pure. */
import { isObject } from '../../model/field.ts'

/** `real` is a number that is a float even when it is whole. */
export function pythonText(value: unknown, real = false): string {
  return typeof value === 'string' ? value : literal(value, real)
}

function literal(value: unknown, real = false): string {
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'number')
    return real && Number.isInteger(value) ? `${value}.0` : String(value)
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map((each) => literal(each)).join(', ')}]`
  if (!isObject(value)) return String(value)
  const pairs = Object.entries(value).map(([key, each]) => `${quoted(key)}: ${literal(each)}`)
  return `{${pairs.join(', ')}}`
}

function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll(mark, `\\${mark}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
  return `${mark}${escaped}${mark}`
}
