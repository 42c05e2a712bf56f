/** The client commands with a server of the test's own in place of the network. */
import { clientCommand } from '../../../src/command/client/command.ts'
import type { Fetch } from '../../../src/command/cloud-login.ts'
import type { Io } from '../../../src/command/io.ts'
import type { Clock } from '../../../src/system/clock.ts'

export interface Output {
  readonly out: string
  readonly err: string
  readonly json: <T = Record<string, unknown>>() => T
}

/** No file of the machine is read: the endpoint is named. */
export const NO_LOGIN = { OS_AUTH_TYPE: 'none', OS_ENDPOINT: 'http://lb.example', HOME: '/nowhere' }

/** Runs one command line; words in it are separated by blanks, `~` stands for a blank in a word. */
export async function run(
  line: string,
  outside: { readonly fetch: Fetch; readonly clock: Clock },
  over: Partial<Io> = {},
): Promise<Output> {
  let out = ''
  let err = ''
  const io: Io = {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    terminal: false,
    env: NO_LOGIN,
    ...over,
  }
  const [name = '', ...words] = line.split(' ').map((word) => word.replaceAll('~', ' '))
  await clientCommand(name, outside).run(words, io)
  return { out, err, json: () => JSON.parse(out) }
}
