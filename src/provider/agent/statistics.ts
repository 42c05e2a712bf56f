/**
 * Statistics of listeners as a provider driver tells them: totals, so they take the place of what
 * is stored. There is no amphora, so the listener stands in its column too. Source:
 * octavia/api/drivers/driver_agent/driver_updater.py, update_listener_statistics.
 */
import { isObject, type Json } from '../../model/field.ts'
import { listener } from '../../model/listener.ts'
import { findRow } from '../../store/repository.ts'
import { replaceStatistics } from '../../store/statistics.ts'
import type { Store } from '../../store/store.ts'
import type { ListenerStatisticsRow } from '../../store/tables.ts'
import { answerReport, type ReportAnswer, ReportRefused } from './answer.ts'
import { recordsOf } from './records.ts'

const COUNTERS = [
  'bytes_in',
  'bytes_out',
  'active_connections',
  'total_connections',
  'request_errors',
] as const

/** Listeners that are not there (any more) are passed over. */
export function keepStatistics(store: Store, report: Json): Promise<ReportAnswer> {
  return answerReport(async () => {
    const rows = parseStatistics(report)
    if (rows.length === 0) return
    await store.transaction(async (tx) => {
      const known: ListenerStatisticsRow[] = []
      for (const row of rows)
        if ((await findRow(tx, listener, row.listener_id)) !== undefined) known.push(row)
      await replaceStatistics(tx, known)
    })
  })
}

/** Throws ReportRefused. */
export function parseStatistics(report: Json): ListenerStatisticsRow[] {
  const object = { stats_object: 'listeners' }
  if (!isObject(report)) throw new ReportRefused('the report is not an object', object)
  return recordsOf(report, 'listeners', object).map((record) => {
    const id = record.id
    // As upstream prints a missing key.
    if (id === undefined) throw new ReportRefused("'id'", object)
    if (typeof id !== 'string') throw new ReportRefused('id is not a string', object)
    const [bytes_in, bytes_out, active_connections, total_connections, request_errors] =
      COUNTERS.map((name) => counter(record, name)) as [number, number, number, number, number]
    return {
      listener_id: id,
      amphora_id: id,
      bytes_in,
      bytes_out,
      active_connections,
      total_connections,
      request_errors,
    }
  })
}

function counter(record: Readonly<Record<string, unknown>>, name: string): number {
  const value = record[name]
  const object = { stats_object: 'listeners' }
  if (value === undefined) throw new ReportRefused(`'${name}'`, object)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new ReportRefused(`${name} is not a whole number of at least 0`, object)
  return value
}
