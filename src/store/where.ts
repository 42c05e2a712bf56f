/** Conditions by column: all must hold, and a list as value means any of it. */
export type Where = Readonly<Record<string, unknown>>

/** A query builder, as far as conditions need it. */
interface Conditional<Q> {
  where(column: string, operator: '=' | 'in', value: unknown): Q
}

export function applyWhere<Q extends Conditional<Q>>(query: Q, where: Where): Q {
  let narrowed = query
  for (const [name, value] of Object.entries(where))
    narrowed = narrowed.where(name, Array.isArray(value) ? 'in' : '=', value)
  return narrowed
}

/** What of conditions is in the text of a query. */
export function shapeOf(where: Where): string {
  let shape = ''
  for (const [name, value] of Object.entries(where))
    shape += Array.isArray(value) ? ` ${name}*${value.length}` : ` ${name}`
  return shape
}

/** What is not. */
export function valuesOf(where: Where): unknown[] {
  return Object.values(where).flat()
}

/** A list without elements: no row can be meant. */
export function meansNone(where: Where): boolean {
  return Object.values(where).some((value) => Array.isArray(value) && value.length === 0)
}
