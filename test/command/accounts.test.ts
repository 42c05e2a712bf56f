/**
 * `user` and `project` on the database of a serve that runs, which is the other connection here.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Io } from '../../src/command/io.ts'
import { command as projectCommand } from '../../src/command/project.ts'
import { command as userCommand } from '../../src/command/user.ts'
import { createProject, createUser } from '../../src/identity/accounts.ts'
import { findProject, findUser } from '../../src/store/identity.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { createIdentityHarness, type IdentityHarness } from '../api/identity-harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-accounts-'))
const config = join(folder, 'octavia-lite.toml')
let store: Store
let serve: IdentityHarness

beforeAll(async () => {
  writeFileSync(config, `[DEFAULT]\ndata_dir = ${JSON.stringify(folder)}\n`)
  store = openStore(join(folder, 'octavia-lite.db'))
  serve = await createIdentityHarness({ store })
  await createProject(serve.deps, 'admin')
  const admin = { name: 'admin', password: 'password of admin', project: 'admin', roles: ['admin'] }
  await createUser(serve.deps, admin)
})

afterAll(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

/** What the command prints. */
async function run(line: string): Promise<string> {
  const printed: string[] = []
  const io: Io = { out: (text) => void printed.push(text), err: () => {}, terminal: false, env: {} }
  const [name, ...args] = line.split(' ')
  const command = name === 'user' ? userCommand : projectCommand
  expect(await command.run([...args, '--config-file', config], io)).toBe(0)
  return printed.join('').trim()
}

test('a user from beginning to end', async () => {
  expect(await run('project create shop')).toMatch(/^[0-9a-f]{32}$/)
  const password = await run('user create ann --project shop --role reader')
  expect(password).toMatch(/^\w{24}$/)
  const users = JSON.parse(await run('user list --json')).users
  expect(users.map(({ id, ...user }: { id: string }) => user)).toEqual([
    { name: 'admin', enabled: true, roles: [{ project: 'admin', role: 'admin' }] },
    { name: 'ann', enabled: true, roles: [{ project: 'shop', role: 'reader' }] },
  ])
  const token = await tokenOf('ann')
  const access = (of: string) => serve.identity.access(of)
  expect((await access(token))?.roles).toEqual(['reader'])
  await run('user grant ann --project shop --role member')
  expect((await access(token))?.roles).toEqual(['member', 'reader'])
  await run('user revoke ann --project shop --role member')
  expect((await access(token))?.roles).toEqual(['reader'])
  await run('user disable ann')
  expect(await access(token)).toBeUndefined()
  await run('user enable ann')
  expect(await run('user set-password ann')).not.toBe(password)
  await run('user delete ann')
  await run('project delete shop')
  expect(JSON.parse(await run('project list --json')).projects).toHaveLength(1)
})

/**
 * A token as a login gives it; what the commands write is known to the other connection at once.
 */
async function tokenOf(name: string): Promise<string> {
  const user = await findUser(serve.store.read, 'name', name)
  const project = await findProject(serve.store.read, 'id', user?.default_project_id ?? '')
  if (user === undefined || project === undefined) throw new Error(`no user ${name}`)
  const of = { user, project, credential: null, methods: ['password'] }
  return (await serve.identity.issue(of))?.token ?? ''
}

const WRONG: readonly [string, RegExp][] = [
  ['user', /user takes/],
  ['user constructor', /user takes/],
  ['user create', /say which user/],
  ['user create x', /--project is needed/],
  ['user create x --project none', /no project none/],
  ['user create x --project admin --role boss', /boss is no role/],
  ['user create x --project admin --password y', /password/],
  ['user create x --project admin --password-prompt', /no terminal/],
  ['user delete admin', /nobody who is an administrator/],
  ['user delete nobody', /no user nobody/],
  ['user grant admin --project admin', /--role is needed/],
  ['user revoke admin --project admin --role member', /has not been granted/],
  ['project', /project takes/],
  ['project delete admin', /nobody who is an administrator/],
]

test.each(WRONG)('%s', async (line, sentence) => {
  await expect(run(line)).rejects.toThrow(sentence)
})

test('with noauth there are no users, and without data nothing is made', async () => {
  const other = join(folder, 'other.toml')
  const with_ = (text: string) => writeFileSync(other, text)
  const listing = () =>
    userCommand.run(['list', '--config-file', other], {
      out: () => {},
      err: () => {},
      terminal: false,
      env: {},
    })
  with_('[api_settings]\nauth_strategy = "noauth"\n')
  await expect(listing()).rejects.toThrow('there are no users')
  with_(`[DEFAULT]\ndata_dir = ${JSON.stringify(join(folder, 'nothing'))}\n`)
  await expect(listing()).rejects.toThrow('no database')
})
