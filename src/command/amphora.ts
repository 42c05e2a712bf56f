/** `octavia-lite amphora`: the client's verbs, and a shell on an amphora for operators. */
import { runAmphoraShell, SHELL_HELP } from './amphora/shell.ts'
import { clientCommand } from './client/command.ts'
import type { Command } from './io.ts'

const client = clientCommand('amphora')

export const command: Command = {
  summary: `${client.summary}, ssh`,
  help: `${client.help}\n${SHELL_HELP}`,
  helpOf: (args) => {
    if (args[0] === 'ssh') return SHELL_HELP
    const page = client.helpOf?.(args) ?? client.help
    return page === client.help ? `${page}\n${SHELL_HELP}` : page
  },
  run: async (args, io) =>
    args[0] === 'ssh' ? await runAmphoraShell(args.slice(1), io) : await client.run(args, io),
}
