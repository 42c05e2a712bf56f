/**
 * Request bodies, checked by the fields of a resource: what is unknown, missing, null or of a wrong
 * type is refused with upstream's text (WSME 0.13: rest/json.py, types.py). Pure.
 */
import { fault } from './fault.ts'
import {
  type Create,
  type Field,
  type Fields,
  isObject,
  type ModelDefaults,
  type Resource,
  type Update,
} from './field.ts'

/** No resource nests deeper than load balancer, listeners, default_pool, members, tags. */
const DEPTH_MAX = 16

/** Parses the text of a body; undefined for none. */
export function parseJson(text: string): unknown {
  if (text === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Also a text nested beyond the parser's own stack.
    throw fault.notJson()
  }
  if (isDeeper(value, DEPTH_MAX)) throw fault.validation('The request is nested too deeply.')
  return value
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((item) => isDeeper(item, levels - 1))
}

/**
 * What stands under `wrapper`, which is the only key of a body. `argument` names the body in
 * faults.
 */
export function unwrap(body: unknown, argument: string, wrapper: string): unknown {
  const inner = unwrapIfAny(body, argument, wrapper)
  if (inner === undefined) throw fault.missingArgument(wrapper)
  return inner
}

/** The same, but undefined where nothing stands there. */
export function unwrapIfAny(body: unknown, argument: string, wrapper: string): unknown {
  if (body === undefined) throw fault.missingArgument(argument)
  const outer = expectObject(body, argument)
  refuseUnknown(outer, [wrapper], argument)
  return outer[wrapper]
}

export function expectObject(value: unknown, name: string): Record<string, unknown> {
  if (isObject(value)) return value
  throw fault.invalidField(name, value, 'Value should be a dictionary')
}

export function expectList(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw fault.invalidField(name, value, 'Value should be a list')
}

function refuseUnknown(input: object, known: readonly string[], path: string): void {
  const unknown = Object.keys(input).filter((name) => !known.includes(name))
  if (unknown.length > 0) throw fault.unknownAttributes(path, unknown)
}

/** A create request: every writable field, absent ones and nulls turned into their fallbacks. */
export function parseCreate<F extends Fields>(
  fields: F,
  input: unknown,
  path: string,
  defaults: ModelDefaults,
): Create<F> {
  const values = withProject(fields, expectObject(input, path))
  const writable = Object.entries(fields)
    .filter(([, { options }]) => options.writable !== 'never')
    .sort(([, a], [, b]) => Number(isParent(a)) - Number(isParent(b)))
  refuseUnknown(
    values,
    writable.map(([name]) => name),
    path,
  )
  const out: Record<string, unknown> = {}
  for (const [name, field] of writable) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    out[name] =
      value === undefined ? absent(name, field, defaults) : given(name, field, value, defaults)
  }
  return out as Create<F>
}

/** A body of changes: undefined for one without any, which is refused where there is a row only. */
export function parseChanges<F extends Fields>(
  { argument, singular, fields }: Pick<Resource<F>, 'argument' | 'singular' | 'fields'>,
  body: unknown,
  defaults: ModelDefaults,
): Update<F> | undefined {
  const inner = unwrapIfAny(body, argument, singular)
  if (inner === undefined) return undefined
  return parseUpdate(fields, inner, `${argument}.${singular}`, defaults)
}

/**
 * An update request: only what was sent. Fields fixed at creation are unknown attributes, as
 * upstream.
 */
export function parseUpdate<F extends Fields>(
  fields: F,
  input: unknown,
  path: string,
  defaults: ModelDefaults,
): Update<F> {
  const values = expectObject(input, path)
  const writable = Object.keys(fields).filter(
    (name) => (fields[name]?.options.writable ?? 'always') === 'always',
  )
  refuseUnknown(values, writable, path)
  const out: Record<string, unknown> = {}
  for (const name of writable) {
    const field = fields[name]
    if (field !== undefined && Object.hasOwn(values, name))
      out[name] = given(name, field, values[name], defaults)
  }
  return out as Update<F>
}

/** `tenant_id` is project_id's old name and accepted wherever that is. */
function withProject(
  fields: Fields,
  input: Record<string, unknown>,
): Readonly<Record<string, unknown>> {
  if (fields.project_id === undefined || !Object.hasOwn(input, 'tenant_id')) return input
  const { tenant_id, ...rest } = input
  return { ...rest, project_id: rest.project_id ?? tenant_id }
}

// biome-ignore lint/suspicious/noExplicitAny: of any type, only read through its own methods
type AnyField = Field<any, any>

function isParent({ options }: AnyField): boolean {
  return options.parent !== undefined
}

function absent(name: string, field: AnyField, defaults: ModelDefaults): unknown {
  if (field.options.required === true) throw fault.missingField(name)
  return fallbackOf(field, defaults)
}

function given(name: string, field: AnyField, value: unknown, defaults: ModelDefaults): unknown {
  if (value === null) {
    const { parent, required, whenNull } = field.options
    if (parent !== undefined) throw fault.notFound(parent, 'None')
    if (required === true) throw fault.invalidOption(null, name)
    return whenNull ?? fallbackOf(field, defaults)
  }
  const parsed = field.type.parse(value)
  if (!parsed.ok) {
    const at = parsed.at ?? { name, value }
    throw fault.invalidField(at.name, at.value, parsed.message)
  }
  return parsed.value
}

export function fallbackOf(field: AnyField, defaults: ModelDefaults): unknown {
  const { fallback } = field.options
  return (typeof fallback === 'function' ? fallback(defaults) : fallback) ?? null
}

/** The first of `names` whose value is neither null nor its fallback; undefined when all are. */
export function findUnsupported(
  fields: Fields,
  names: readonly string[],
  values: Readonly<Record<string, unknown>>,
  defaults: ModelDefaults,
): string | undefined {
  return names.find((name) => {
    const value = values[name]
    const field = fields[name]
    if (value === undefined || value === null || field === undefined) return false
    return JSON.stringify(value) !== JSON.stringify(fallbackOf(field, defaults))
  })
}

/** The same fields without some. */
export function without<F extends Fields, const K extends keyof F>(
  fields: F,
  names: readonly K[],
): Omit<F, K> {
  const out: Partial<F> = { ...fields }
  for (const name of names) delete out[name]
  return out as Omit<F, K>
}
