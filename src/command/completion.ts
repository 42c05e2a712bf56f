/** `octavia-lite completion`: scripts for shells, from the same tables as the commands themselves. */
import { completionScript, SHELLS } from './client/shells.ts'
import { type Command, CommandFailure, EXIT } from './io.ts'

export const command: Command = {
  summary: 'print the completion script of bash, zsh or fish',
  help: `usage: octavia-lite completion bash|zsh|fish

  bash:  octavia-lite completion bash > /etc/bash_completion.d/octavia-lite
  zsh:   octavia-lite completion zsh > "\${fpath[1]}/_octavia-lite"
  fish:  octavia-lite completion fish > ~/.config/fish/completions/octavia-lite.fish
`,
  async run(args, io) {
    const shell = SHELLS.find((each) => each === args[0])
    if (shell === undefined || args.length > 1)
      throw new CommandFailure('usage: octavia-lite completion bash|zsh|fish', EXIT.usage)
    io.out(completionScript(shell))
    return EXIT.ok
  },
}
