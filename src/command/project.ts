/** `octavia-lite project`: the projects of the built-in identity. */
import { createProject, removeProject } from '../identity/accounts.ts'
import { listProjects } from '../store/identity.ts'
import { nameIn, withAccounts } from './accounts.ts'
import { parseArguments } from './arguments.ts'
import { type Command, CommandFailure, EXIT, table } from './io.ts'

export const command: Command = {
  summary: 'the projects of the built-in identity: list, create, delete',
  help: `usage: octavia-lite project list [--json]
       octavia-lite project create NAME
       octavia-lite project delete NAME

For auth_strategy "local". Works on the database in the data directory, while serve runs too.
create prints the id. A project with load balancers is not deleted.

  --config-file FILE  the configuration of that serve
  --json              print JSON
`,
  async run(args, io) {
    const options = parseArguments(
      args,
      { 'config-file': { type: 'string' }, json: { type: 'boolean' } },
      2,
    )
    const { positionals } = options
    const [verb] = positionals
    const name = (): string => nameIn(positionals, 'say which project; see --help')
    return await withAccounts(options.text('config-file'), async ({ store }) => {
      switch (verb) {
        case 'list': {
          const projects = (await listProjects(store.read)).map(({ id, name }) => ({ id, name }))
          if (options.flag('json')) io.out(`${JSON.stringify({ projects }, null, 2)}\n`)
          else io.out(table([['id', 'name'], ...projects.map(({ id, name }) => [id, name])]))
          return EXIT.ok
        }
        case 'create':
          io.out(`${(await createProject({ store }, name())).id}\n`)
          return EXIT.ok
        case 'delete':
          await removeProject({ store }, name())
          return EXIT.ok
        default:
          throw new CommandFailure('project takes list, create or delete; see --help', EXIT.usage)
      }
    })
  },
}
