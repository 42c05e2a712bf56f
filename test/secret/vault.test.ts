/** Secrets at rest: sealed, bound to their row, and under keys that change without a loss. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Keyring, openKeyring } from '../../src/secret/keyring.ts'
import { openVault, PER_PROJECT_MAX, rekey, type Vault } from '../../src/secret/vault.ts'
import { findSecret, putCurrentKey, updateSecret } from '../../src/store/secrets.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { present } from '../../src/system/assert.ts'

const CONTENT = Buffer.from('-----BEGIN PRIVATE KEY-----\nMC4CAQ\n')

let path: string
let keyring: Keyring
let store: Store
let vault: Vault

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-vault-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  path = join(folder, 'secret.keys')
  keyring = openKeyring(path)
  store = openStore(join(folder, 'db'))
  onTestFinished(() => store.close())
  vault = await openVault(store, keyring)
})

const row = (id: string, project_id = 'p') => ({
  ...{ id, project_id, creator_id: null, name: '', secret_type: 'opaque' },
  ...{ algorithm: null, bit_length: null, mode: null, expires_at: null },
  ...{ created_at: '2026-01-02T03:04:05', updated_at: '2026-01-02T03:04:05' },
})
const keep = (id: string, content: Uint8Array = CONTENT) =>
  vault.createSecret(row(id), { content, content_type: 'text/plain' })
const read = async (id: string, from = vault) =>
  from.open(present(await findSecret(store.read, id), id))?.content

test('what is stored comes back, and is in no file of the database', async () => {
  await keep('one')
  await keep('two')
  expect(await read('one')).toEqual(CONTENT)
  const [one, two] = [await findSecret(store.read, 'one'), await findSecret(store.read, 'two')]
  expect(Buffer.from(present(one?.sealed, 'sealed'))).not.toEqual(two?.sealed)
  const files = ['', '-wal'].map((end) => readFileSync(`${join(path, '../db')}${end}`, 'latin1'))
  expect(files.filter((text) => text.includes('MC4CAQ'))).toEqual([])
})

test('the file of keys is its owner’s only', () => {
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
})

test('a row that was changed, or is that of another secret, does not open', async () => {
  await keep('one')
  const { key_id, sealed } = present(await findSecret(store.read, 'one'), 'one')
  const bytes = Buffer.from(present(sealed, 'sealed'))
  await store.transaction(async (tx) => {
    await updateSecret(tx, 'one', { key_id, sealed: Buffer.concat([bytes, Buffer.of(0)]) })
  })
  await expect(read('one')).rejects.toThrow('secret one was changed in the database')
  await vault.createSecret(row('two'), null)
  await store.transaction((tx) =>
    updateSecret(tx, 'two', { key_id, sealed: bytes, content_type: 'text/plain' }),
  )
  await expect(read('two')).rejects.toThrow('secret two was changed in the database')
})

test('a new key seals everything anew, while another process reads and writes', async () => {
  const many = Array.from({ length: 230 }, (_, at) => `secret-${at}`)
  for (const id of many) await keep(id, Buffer.from(id))
  const before = keyring.list()
  expect(await rekey(store, openKeyring(path))).toBe(230)
  const after = openKeyring(path).list()
  expect(after).toHaveLength(1)
  expect(after).not.toEqual(before)
  // This vault has the old key in memory, and finds the new one.
  for (const id of many) expect(await read(id)).toEqual(Buffer.from(id))
  await keep('later')
  expect((await findSecret(store.read, 'later'))?.key_id).toBe(after[0])
})

test('a change of keys that was killed is finished by the next', async () => {
  await keep('one')
  // Killed after the key was added, and again after it became the current one.
  openKeyring(path).add()
  const half = openKeyring(path)
  await store.transaction((tx) => putCurrentKey(tx, half.add()))
  expect(half.list()).toHaveLength(3)
  const restarted = await openVault(store, openKeyring(path))
  expect(await read('one', restarted)).toEqual(CONTENT)
  await rekey(store, openKeyring(path))
  expect(openKeyring(path).list()).toHaveLength(1)
  expect(await read('one')).toEqual(CONTENT)
})

test('without the keys of what is stored it does not start, and loses nothing', async () => {
  await keep('one')
  const kept = readFileSync(path)
  writeFileSync(path, 'nonsense\n')
  expect(() => openKeyring(path)).toThrow('is no file of keys')
  rmSync(path)
  await expect(openVault(store, openKeyring(path))).rejects.toThrow(
    /does not have the key [0-9a-f]/,
  )
  writeFileSync(path, kept)
  expect(await read('one', await openVault(store, openKeyring(path)))).toEqual(CONTENT)
})

test('a project is full at some point', async () => {
  await store.transaction(async (tx) => {
    for (let at = 0; at < PER_PROJECT_MAX; at++)
      await tx
        .insertInto('secret')
        .values(row(`secret-${at}`))
        .execute()
  })
  await expect(keep('more')).rejects.toThrow(`The project has ${PER_PROJECT_MAX} of them already`)
  await vault.createSecret(row('other', 'q'), null)
})
