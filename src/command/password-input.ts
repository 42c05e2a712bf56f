/**
 * Where a new password comes from; never from the command line, which everybody on the machine can
 * read.
 */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { generatePassword } from '../identity/passwords.ts'
import { CommandFailure, EXIT, type Io } from './io.ts'

export interface NewPassword {
  readonly password: string
  /** Then it is printed, once, for nobody else knows it. */
  readonly generated: boolean
}

/** `stdin`: its first line; `prompt`: asked for twice on the terminal; else made up. */
export async function newPassword(
  from: { readonly stdin: boolean; readonly prompt: boolean },
  io: Io,
): Promise<NewPassword> {
  if (from.stdin && from.prompt)
    throw new CommandFailure('say --password-stdin or --password-prompt, not both', EXIT.usage)
  if (from.stdin) {
    const [password = ''] = (await Bun.stdin.text()).split(/\r?\n/, 1)
    return { password, generated: false }
  }
  if (!from.prompt) return { password: generatePassword(), generated: true }
  if (process.stdin.isTTY !== true)
    throw new CommandFailure('there is no terminal to ask at; use --password-stdin', EXIT.usage)
  const password = await ask('New password: ', io)
  if ((await ask('Once more: ', io)) !== password)
    throw new CommandFailure('the two passwords differ; nothing was changed')
  return { password, generated: false }
}

/** One line from the terminal, without showing what is typed. */
async function ask(question: string, io: Io): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  io.err(question)
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('SIGINT', () => reject(new CommandFailure('interrupted; nothing was changed')))
      lines.once('close', () => reject(new CommandFailure('no password; nothing was changed')))
    })
  } finally {
    lines.close()
    io.err('\n')
  }
}
