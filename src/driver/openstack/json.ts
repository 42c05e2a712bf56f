/** Reading answers of services, which may be of any form. Pure. */
export type JsonRecord = Readonly<Record<string, unknown>>

export function record(value: unknown): JsonRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonRecord)
    : undefined
}

/** Those items of a list that are records. */
export function records(value: unknown): readonly JsonRecord[] {
  return Array.isArray(value) ? value.map(record).filter((each) => each !== undefined) : []
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Those items of a list that are strings. */
export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
