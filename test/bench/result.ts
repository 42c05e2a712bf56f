/** What a scenario measured, and the arithmetic on it. */

/** One line of the table. */
export interface Result {
  readonly name: string
  readonly unit: string
  /**
   * Every sample; the table shows median, 95th percentile and how many. One value is shown as it
   * is.
   */
  readonly samples: readonly number[]
  /** What the median must be; absent where there is only something to look at. */
  readonly goal?: { readonly below: number } | { readonly above: number }
  /** What a reader must know to read it. */
  readonly note?: string
}

export interface Summary {
  readonly median: number
  readonly p95: number
  /** undefined without a goal. */
  readonly met: boolean | undefined
}

export function summarize({ samples, goal }: Result): Summary {
  const median = percentile(samples, 50)
  const p95 = percentile(samples, 95)
  if (goal === undefined) return { median, p95, met: undefined }
  return { median, p95, met: 'below' in goal ? median < goal.below : median > goal.above }
}

/** Nearest rank: of few samples the 95th percentile is the largest. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const rank = Math.ceil((percent / 100) * sorted.length)
  return sorted[Math.max(rank, 1) - 1] ?? Number.NaN
}

export function renderTable(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { median, p95, met } = summarize(result)
    const { samples, goal } = result
    return [
      result.name,
      short(median),
      samples.length > 1 ? short(p95) : '',
      result.unit,
      samples.length > 1 ? String(samples.length) : '',
      goal === undefined ? '' : 'below' in goal ? `< ${goal.below}` : `> ${goal.above}`,
      met === undefined ? '' : met ? 'met' : 'MISSED',
      result.note ?? '',
    ]
  })
  const all = [['measured', 'median', 'p95', 'unit', 'n', 'goal', '', ''], ...rows]
  const widths = all[0]?.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0))) ?? []
  const numeric = new Set([1, 2, 4])
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) =>
        numeric.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return `${all.map(line).join('\n')}\n`
}

function short(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toFixed(digits)
}
