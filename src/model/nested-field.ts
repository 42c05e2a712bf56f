/** Types of fields that hold other values: lists, maps and objects, each kept as JSON. */
import { type FieldType, isObject, ok, refuse } from './field.ts'

/** A list of at most `max` values, each of `type`. */
export function list<T>(type: FieldType<T>, max: number): FieldType<readonly T[]> {
  return {
    column: 'json',
    schema: { type: 'array', items: type.schema, maxItems: max },
    parse: (value) => {
      if (!Array.isArray(value)) return refuse('Value should be a list')
      if (value.length > max) return refuse(`Value should have at most ${max} items`)
      const out: T[] = []
      for (const item of value) {
        if (item === null || item === undefined) return refuse('Value should not contain null')
        const parsed = type.parse(item)
        if (!parsed.ok) return parsed
        out.push(parsed.value)
      }
      return ok(out)
    },
  }
}

/** An object with text keys and values of `type`, at most `max` of them. */
export function map<T>(type: FieldType<T>, max: number): FieldType<Readonly<Record<string, T>>> {
  return {
    column: 'json',
    schema: { type: 'object', additionalProperties: type.schema, maxProperties: max },
    parse: (value) => {
      if (!isObject(value)) return refuse('Value should be a dictionary')
      const entries = Object.entries(value)
      if (entries.length > max) return refuse(`Value should have at most ${max} entries`)
      const out: [string, T][] = []
      for (const [key, item] of entries) {
        const parsed = type.parse(item)
        if (!parsed.ok) return parsed
        out.push([key, parsed.value])
      }
      // Not by assignment: a key `__proto__` must stay a key, to be refused by whoever knows the
      // keys.
      return ok(Object.fromEntries(out))
    },
  }
}

/** An object with fields of its own, kept as one JSON column. */
export function object<F extends Readonly<Record<string, FieldType<unknown>>>>(
  parts: F,
  required: readonly (keyof F & string)[],
): FieldType<{ readonly [K in keyof F]?: F[K] extends FieldType<infer T> ? T | null : never }> {
  type Value = { [K in keyof F]?: F[K] extends FieldType<infer T> ? T | null : never }
  return {
    column: 'json',
    schema: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(parts).map(([k, t]) => [k, t.schema])),
      required,
      additionalProperties: false,
    },
    parse: (value) => {
      if (!isObject(value)) return refuse('Value should be a dictionary')
      const out: Record<string, unknown> = {}
      for (const [key, item] of Object.entries(value)) {
        const type = Object.hasOwn(parts, key) ? parts[key] : undefined
        if (type === undefined) return refuse(`Unknown attribute: ${key}`)
        if (item === null) {
          out[key] = null
          continue
        }
        const parsed = type.parse(item)
        if (!parsed.ok) return { ...parsed, at: parsed.at ?? { name: key, value: item } }
        out[key] = parsed.value
      }
      for (const name of required)
        if (out[name] === undefined || out[name] === null)
          return { ...refuse('Mandatory field missing.'), at: { name, value: null } }
      return ok(out as Value)
    },
  }
}
