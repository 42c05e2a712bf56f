/**
 * The keys of the built-in store, and what is done with them: AES-256-GCM, a new nonce for every
 * secret. The file has one key a line, 64 hexadecimal digits, the newest first; a key is known by
 * the beginning of its hash. The file is read again when a key is asked for that is not known: it
 * may have been added by `octavia-lite secret rekey` meanwhile.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { readTextIfExists, SECRET_MODE, writeFileAtomic } from '../system/files.ts'

const KEY = /^[0-9a-f]{64}$/
const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** The key file cannot be used; `message` is one sentence for the operator. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
}

export interface Keyring {
  /** Ids, the newest first. Never empty. */
  list(): readonly string[]
  /**
   * Throws KeyError without that key. `owner` is bound to what is sealed: it opens under no other.
   */
  seal(key_id: string, owner: string, content: Uint8Array): Uint8Array
  open(key_id: string, owner: string, sealed: Uint8Array): Uint8Array
  /** Adds a key in front of the others, and gives its id. */
  add(): string
  /** Takes all keys but this one away. */
  keepOnly(key_id: string): void
}

/** Makes the file with a first key where there is none. */
export function openKeyring(path: string): Keyring {
  if (readTextIfExists(path) === undefined) write(path, [randomBytes(32)])
  let keys = read(path)
  const find = (key_id: string): Buffer => {
    const known = keys.find((key) => idOf(key) === key_id)
    if (known !== undefined) return known
    keys = read(path)
    const found = keys.find((key) => idOf(key) === key_id)
    if (found !== undefined) return found
    throw new KeyError(
      `${path} does not have the key ${key_id}, with which secrets were sealed; ` +
        'restore that file from a backup',
    )
  }
  return {
    list: () => keys.map(idOf),
    seal: (key_id, owner, content) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, find(key_id), nonce).setAAD(Buffer.from(owner))
      return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()])
    },
    open: (key_id, owner, sealed) => {
      const key = find(key_id)
      const end = sealed.length - TAG_BYTES
      const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(owner))
        .setAuthTag(sealed.subarray(end))
      try {
        return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()])
      } catch {
        throw new KeyError(`secret ${owner} was changed in the database and cannot be opened`)
      }
    },
    add: () => {
      const key = randomBytes(32)
      keys = [key, ...read(path)]
      write(path, keys)
      return idOf(key)
    },
    keepOnly: (key_id) => {
      keys = [find(key_id)]
      write(path, keys)
    },
  }
}

function idOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16)
}

function read(path: string): Buffer[] {
  const lines = (readTextIfExists(path) ?? '').split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0 || !lines.every((line) => KEY.test(line.trim())))
    throw new KeyError(
      `${path} is no file of keys, which has 64 hexadecimal digits a line; ` +
        'restore it from a backup',
    )
  return lines.map((line) => Buffer.from(line.trim(), 'hex'))
}

function write(path: string, keys: readonly Buffer[]): void {
  writeFileAtomic(path, keys.map((key) => `${key.toString('hex')}\n`).join(''), SECRET_MODE)
}
