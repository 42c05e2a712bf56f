/**
 * The built-in store of secrets: certificates, keys, CAs and revocation lists of users, each of a
 * project, sealed in the database. It knows no HTTP: api/key-manager/ serves it in Barbican's form,
 * and certificate-manager.ts hands it to listeners and pools. This folder imports what is above it
 * and `driver/certificate-manager.ts`, whose seam it implements.
 */
import {
  type Consumer,
  type ContainerRow,
  countSecrets,
  deleteFrom,
  findConsumers,
  findCurrentKey,
  findSecret,
  insertContainer,
  insertSecret,
  listParts,
  listSealedOtherwise,
  type PartRow,
  putCurrentKey,
  type SecretRow,
  updateSecret,
} from '../store/secrets.ts'
import type { Db, Store, Tx } from '../store/store.ts'
import { present } from '../system/assert.ts'
import { KeyError, type Keyring } from './keyring.ts'

/** Of one project, of each sort: more are a mistake in a loop. */
export const PER_PROJECT_MAX = 1_000
/** A chain of certificates, or a revocation list, with room to spare. */
export const CONTENT_BYTES_MAX = 65_536
const RESEALED_AT_A_TIME = 100

export interface Payload {
  readonly content: Uint8Array
  readonly content_type: string
}

/** What cannot be done; `message` is one sentence for whoever asked. */
export class VaultRefusal extends Error {
  override readonly name = 'VaultRefusal'
  readonly why: 'full' | 'in-use' | 'taken' | 'missing'
  constructor(why: VaultRefusal['why'], message: string) {
    super(message)
    this.why = why
  }
}

export interface Vault {
  createSecret(
    row: Omit<SecretRow, 'content_type' | 'key_id' | 'sealed'>,
    payload: Payload | null,
  ): Promise<void>
  /** Into a secret that has nothing in it yet. */
  putPayload(id: string, payload: Payload, now: string): Promise<void>
  /** What is in it; undefined where nothing is. */
  open(row: SecretRow): Payload | undefined
  createContainer(row: ContainerRow, parts: readonly Omit<PartRow, 'container_id'>[]): Promise<void>
  /** Refused as long as a listener or pool refers to it. */
  remove(kind: 'secret' | 'secret_container', id: string): Promise<void>
  /** The listeners and pools that refer to it, or to a container it is in. */
  listConsumers(id: string): Promise<readonly Consumer[]>
}

/** Throws KeyError where secrets were sealed with a key that is gone. */
export async function openVault(store: Store, keyring: Keyring): Promise<Vault> {
  await ensureCurrentKey(store, keyring)
  const seal = async (tx: Tx, id: string, { content, content_type }: Payload) => {
    // Asked in the transaction, so that none is sealed with a key that is being taken away.
    const key_id = present(await findCurrentKey(tx), 'the current key')
    return { content_type, key_id, sealed: keyring.seal(key_id, id, content) }
  }
  return {
    createSecret: (row, payload) =>
      store.transaction(async (tx) => {
        await checkRoom(tx, 'secret', row.project_id)
        const nothing = { content_type: null, key_id: null, sealed: null }
        const sealed = payload === null ? nothing : await seal(tx, row.id, payload)
        await insertSecret(tx, { ...row, ...sealed })
      }),
    putPayload: (id, payload, updated_at) =>
      store.transaction(async (tx) => {
        const row = await findSecret(tx, id)
        if (row === undefined)
          throw new VaultRefusal('missing', 'The secret is not there any more.')
        if (row.sealed !== null)
          throw new VaultRefusal('taken', 'The secret has a payload already, which cannot change.')
        await updateSecret(tx, id, { ...(await seal(tx, id, payload)), updated_at })
      }),
    open: ({ id, content_type, key_id, sealed }) =>
      content_type === null || key_id === null || sealed === null
        ? undefined
        : { content: keyring.open(key_id, id, sealed), content_type },
    createContainer: (row, parts) =>
      store.transaction(async (tx) => {
        await checkRoom(tx, 'secret_container', row.project_id)
        for (const { secret_id } of parts)
          if ((await findSecret(tx, secret_id))?.project_id !== row.project_id)
            throw new VaultRefusal('missing', `There is no secret ${secret_id} in this project.`)
        await insertContainer(tx, row, parts)
      }),
    remove: (kind, id) =>
      store.transaction(async (tx) => {
        const consumers = await consumersOf(tx, id)
        if (consumers.length > 0) throw inUse(consumers)
        await deleteFrom(tx, kind, id)
      }),
    listConsumers: (id) => consumersOf(store.read, id),
  }
}

async function ensureCurrentKey(store: Store, keyring: Keyring): Promise<void> {
  const [newest = ''] = keyring.list()
  await store.transaction(async (tx) => {
    const current = await findCurrentKey(tx)
    if (current === newest) return
    const [sealed] = await listSealedOtherwise(tx, newest, 1)
    // Opening one proves that the key it needs is there.
    if (sealed?.key_id != null && sealed.sealed !== null)
      keyring.open(sealed.key_id, sealed.id, sealed.sealed)
    await putCurrentKey(tx, newest)
  })
}

async function checkRoom(
  tx: Tx,
  kind: 'secret' | 'secret_container',
  project_id: string,
): Promise<void> {
  if ((await countSecrets(tx, kind, project_id)) < PER_PROJECT_MAX) return
  throw new VaultRefusal(
    'full',
    `The project has ${PER_PROJECT_MAX} of them already; delete some that nobody uses.`,
  )
}

async function consumersOf(db: Db, id: string): Promise<readonly Consumer[]> {
  const containers = await listParts(db, 'secret_id', [id])
  const found = await Promise.all(
    [id, ...containers.map(({ container_id }) => container_id)].map((each) =>
      findConsumers(db, each),
    ),
  )
  return found.flat()
}

function inUse(consumers: readonly Consumer[]): VaultRefusal {
  const shown = consumers.slice(0, 5).map(({ type, id, name }) => `${type} ${name || id} (${id})`)
  const more = consumers.length > shown.length ? ` and ${consumers.length - shown.length} more` : ''
  return new VaultRefusal('in-use', `It is in use by ${shown.join(', ')}${more}.`)
}

/**
 * Seals everything with a new key and forgets the old ones; how many secrets that were. Killed at
 * any point nothing is lost: a key is in the file before anything is sealed with it, and until
 * nothing is sealed with it.
 */
export async function rekey(store: Store, keyring: Keyring): Promise<number> {
  const key_id = keyring.add()
  await store.transaction((tx) => putCurrentKey(tx, key_id))
  for (let count = 0; ; ) {
    const done = await store.transaction(async (tx) => {
      const rows = await listSealedOtherwise(tx, key_id, RESEALED_AT_A_TIME)
      for (const { id, key_id: old, sealed } of rows) {
        if (old === null || sealed === null) throw new KeyError(`secret ${id} is damaged`)
        const content = keyring.open(old, id, sealed)
        await updateSecret(tx, id, { key_id, sealed: keyring.seal(key_id, id, content) })
      }
      return rows.length
    })
    count += done
    if (done < RESEALED_AT_A_TIME) {
      keyring.keepOnly(key_id)
      return count
    }
  }
}
