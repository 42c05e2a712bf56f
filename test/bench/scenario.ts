import type { Result } from './result.ts'

export interface Scenario {
  /** What is typed to run it alone. */
  readonly name: string
  /** Why it cannot run here; it is skipped, and the table says so. */
  missing?(): string | undefined
  /** `quick`: fewer samples, to try the harness itself. */
  run(options: { readonly quick: boolean }): Promise<Result[]>
}
