/** Answers of the status and statistics sockets. Source: octavia_lib/common/constants.py. */

export interface Accepted {
  readonly status_code: 200
}

export interface Refused {
  readonly status_code: 500
  readonly fault_string: string
  readonly status_object?: string
  readonly status_object_id?: string | null
  readonly stats_object?: string
}

export type ReportAnswer = Accepted | Refused

export const ACCEPTED: Accepted = { status_code: 200 }

/** What a report says is refused, and nothing of it is kept; `details` go into the answer. */
export class ReportRefused extends Error {
  override readonly name = 'ReportRefused'
  readonly details: Omit<Refused, 'status_code' | 'fault_string'>
  constructor(problem: string, details: Omit<Refused, 'status_code' | 'fault_string'> = {}) {
    super(problem)
    this.details = details
  }
}

/** The answer of `body`; anything but a refusal is thrown on. */
export async function answerReport(body: () => Promise<void>): Promise<ReportAnswer> {
  try {
    await body()
    return ACCEPTED
  } catch (error) {
    if (!(error instanceof ReportRefused)) throw error
    return refuse(error.message, error.details)
  }
}

export function refuse(
  fault_string: string,
  details: Omit<Refused, 'status_code' | 'fault_string'> = {},
): Refused {
  return { status_code: 500, fault_string, ...details }
}
