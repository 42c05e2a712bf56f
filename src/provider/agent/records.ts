/** The lists of a report. */
import { isObject } from '../../model/field.ts'
import { type Refused, ReportRefused } from './answer.ts'

/** Of one kind in one report: one transaction has to write them. */
const RECORDS_MAX = 10_000

/** The records under that name; none when it is missing. Throws ReportRefused. */
export function recordsOf(
  report: Readonly<Record<string, unknown>>,
  name: string,
  details: Omit<Refused, 'status_code' | 'fault_string'>,
): readonly Readonly<Record<string, unknown>>[] {
  const records = report[name]
  if (records === undefined) return []
  if (!Array.isArray(records)) throw new ReportRefused(`${name} is not a list`, details)
  if (records.length > RECORDS_MAX)
    throw new ReportRefused(`${name} has more than ${RECORDS_MAX} records`, details)
  return records.map((record: unknown) => {
    if (!isObject(record)) throw new ReportRefused('a record is not an object', details)
    return record
  })
}
