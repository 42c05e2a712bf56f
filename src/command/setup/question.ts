import { createInterface } from 'node:readline/promises'
import { CommandFailure, EXIT, type Io } from '../io.ts'

/** Goes on only after a yes. */
export async function confirm(question: string, io: Io): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw new CommandFailure(
      'there is no terminal to ask at: say --yes, or --plan to look first',
      EXIT.usage,
    )
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await lines.question(`${question} [y/N] `)
    if (/^y(es)?$/i.test(answer.trim())) return
  } finally {
    lines.close()
  }
  io.err('nothing was changed\n')
  throw new CommandFailure('not confirmed')
}
