import { DriverError } from '../driver/error.ts'
import type { JobStepRow } from '../store/tables.ts'

const TEXT_MAX = 1000

/**
 * One line about an error, for rows. A driver error speaks for itself; everything else is a bug of
 * ours.
 */
export function failureText(error: unknown): string {
  const text = error instanceof DriverError ? error.message : `internal error: ${bugText(error)}`
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX)}...` : line
}

/** What a job or a step that is done has to say; null is nothing. */
export function joinNotes(notes: readonly string[]): string | null {
  if (notes.length === 0) return null
  const line = notes.join('; ')
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX)}...` : line
}

function bugText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/** What could not be undone, added to why the flow failed. */
export function withLeftBehind(reason: string, steps: readonly JobStepRow[]): string {
  const left = steps.filter((step) => step.status === 'UNDO_FAILED')
  if (left.length === 0) return reason
  const parts = left.map((step) => `undo of ${step.name}: ${step.error ?? 'unknown'}`)
  return `${reason}; left behind: ${parts.join('; ')}`
}
