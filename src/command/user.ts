/** `octavia-lite user`: the users of the built-in identity. */
import {
  createUser,
  grantRole,
  removeUser,
  revokeRole,
  setEnabled,
  setPassword,
} from '../identity/accounts.ts'
import { createPasswords } from '../identity/passwords.ts'
import { ROLES } from '../identity/roles.ts'
import { listAssignments, listProjects, listUsers } from '../store/identity.ts'
import { nameIn, withAccounts } from './accounts.ts'
import { type ParsedArguments, parseArguments } from './arguments.ts'
import { cloudsFileIn, replacePassword } from './clouds-file.ts'
import type { OpenDatabase } from './database.ts'
import { type Command, CommandFailure, EXIT, type Exit, type Io, table } from './io.ts'
import { newPassword } from './password-input.ts'

const USAGE = 'user takes list, create, delete, set-password, enable, disable, grant or revoke'

export const command: Command = {
  summary: 'the users of the built-in identity: list, create, delete, set-password, grant ...',
  help: `usage: octavia-lite user list [--json]
       octavia-lite user create NAME --project PROJECT [--role ROLE]
                         [--password-stdin | --password-prompt]
       octavia-lite user set-password NAME [--password-stdin | --password-prompt]
       octavia-lite user enable|disable|delete NAME
       octavia-lite user grant|revoke NAME --project PROJECT --role ROLE

For auth_strategy "local". Works on the database in the data directory, while serve runs too.
A change counts at once: tokens of a user who is deleted, disabled or has a new password end.
Without one of the two options a password is generated and printed once.

  --role ROLE        ${ROLES.slice(0, 3).join(', ')} (each includes those after it),
                     ${ROLES.slice(3, 5).join(', ')},
                     ${ROLES.slice(5, 7).join(', ')},
                     ${ROLES.slice(7).join(', ')} (create: default member)
  --project PROJECT  in which project; create: also where the user's tokens lead
  --password-stdin   the password is the first line of standard input
  --password-prompt  ask for it at the terminal
  --config-file FILE the configuration of that serve
  --json             print JSON
`,
  async run(args, io) {
    const options = parseArguments(
      args,
      {
        project: { type: 'string' },
        role: { type: 'string' },
        'password-stdin': { type: 'boolean' },
        'password-prompt': { type: 'boolean' },
        'config-file': { type: 'string' },
        json: { type: 'boolean' },
      },
      2,
    )
    const [verb = ''] = options.positionals
    const act = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined
    if (act === undefined) throw new CommandFailure(`${USAGE}; see --help`, EXIT.usage)
    return await withAccounts(options.text('config-file'), (accounts) => act(accounts, options, io))
  },
}

type Act = (accounts: OpenDatabase, options: ParsedArguments, io: Io) => Promise<Exit>

const VERBS: Readonly<Record<string, Act>> = {
  list,
  create,
  'set-password': changePassword,
  delete: simple(removeUser),
  enable: simple((accounts, name) => setEnabled(accounts, name, true)),
  disable: simple((accounts, name) => setEnabled(accounts, name, false)),
  grant: onRole(grantRole),
  revoke: onRole(revokeRole),
}

function simple(change: (accounts: OpenDatabase, name: string) => Promise<void>): Act {
  return async (accounts, { positionals }) => {
    await change(accounts, nameIn(positionals, 'say which user; see --help'))
    return EXIT.ok
  }
}

function onRole(change: typeof grantRole): Act {
  return async ({ store }, options) => {
    const user = nameIn(options.positionals, 'say which user; see --help')
    const project = needed(options, 'project')
    await change({ store }, { user, project, role: needed(options, 'role') })
    return EXIT.ok
  }
}

function needed(options: ParsedArguments, name: string): string {
  const value = options.text(name)
  if (value === undefined) throw new CommandFailure(`--${name} is needed; see --help`, EXIT.usage)
  return value
}

async function create({ store }: OpenDatabase, options: ParsedArguments, io: Io): Promise<Exit> {
  const name = nameIn(options.positionals, 'say which user; see --help')
  const project = needed(options, 'project')
  const { password, generated } = await passwordOf(options, io)
  const roles = [options.text('role') ?? 'member']
  await createUser({ store, passwords: createPasswords() }, { name, password, project, roles })
  if (generated) io.out(`${password}\n`)
  return EXIT.ok
}

async function changePassword(
  { store, data_dir }: OpenDatabase,
  options: ParsedArguments,
  io: Io,
): Promise<Exit> {
  const name = nameIn(options.positionals, 'say which user; see --help')
  const { password, generated } = await passwordOf(options, io)
  await setPassword({ store, passwords: createPasswords() }, name, password)
  if (generated) io.out(`${password}\n`)
  const file = cloudsFileIn(data_dir)
  if (replacePassword(file, name, password)) io.err(`${file} has the new password too\n`)
  return EXIT.ok
}

function passwordOf(options: ParsedArguments, io: Io) {
  const [stdin, prompt] = [options.flag('password-stdin'), options.flag('password-prompt')]
  return newPassword({ stdin, prompt }, io)
}

async function list({ store }: OpenDatabase, options: ParsedArguments, io: Io): Promise<Exit> {
  const db = store.read
  const projects = new Map((await listProjects(db)).map((row) => [row.id, row.name]))
  const assignments = await listAssignments(db, {})
  const users = (await listUsers(db)).map(({ id, name, enabled }) => ({
    id,
    name,
    enabled: enabled === 1,
    roles: assignments
      .filter((row) => row.user_id === id)
      .map(({ project_id, role }) => ({ project: projects.get(project_id) ?? project_id, role })),
  }))
  if (options.flag('json')) io.out(`${JSON.stringify({ users }, null, 2)}\n`)
  else {
    const rows = users.map(({ id, name, enabled, roles }) => [
      id,
      name,
      enabled ? 'yes' : 'no',
      roles.map(({ role, project }) => `${role}@${project}`).join(' '),
    ])
    io.out(table([['id', 'name', 'enabled', 'roles'], ...rows]))
  }
  return EXIT.ok
}
