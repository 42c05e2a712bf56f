/**
 * The key pair with which operators come into amphorae: made once in the data directory, its public
 * half given to the compute service. And the amphorae's own keys, remembered when they are first
 * seen, because nobody can tell them beforehand.
 */
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import ssh2 from 'ssh2'
import { makeFolder, readTextIfExists, SECRET_MODE, writeFileAtomic } from '../../system/files.ts'

export interface SshKey {
  /** Secret. */
  readonly private_key: string
  /** One line of `authorized_keys`. */
  readonly public_key: string
}

const COMMENT = 'octavia-lite'
/** Of which one in 256 is not enough. */
const KEY_TRIES_MAX = 20

/** OpenSSH's own client can be given it, too. */
export function sshKeyIn(data_dir: string): string {
  return join(data_dir, 'amphora_ssh_key')
}

export function hostKeyIn(data_dir: string, amphora_id: string): string {
  return join(data_dir, 'amphora_host_keys', amphora_id)
}

export function readSshKey(data_dir: string): SshKey | undefined {
  const path = sshKeyIn(data_dir)
  const private_key = readTextIfExists(path)
  const public_key = readTextIfExists(`${path}.pub`)?.trim()
  return private_key === undefined || public_key === undefined
    ? undefined
    : { private_key, public_key }
}

/** The pair that is there, else a new one. */
export function ensureSshKey(data_dir: string): SshKey {
  const found = readSshKey(data_dir)
  if (found !== undefined) return found
  const path = sshKeyIn(data_dir)
  makeFolder(data_dir, 0o700)
  const pair = makeSshKey()
  // A private key without its public half is taken for none.
  writeFileAtomic(path, pair.private_key, SECRET_MODE)
  writeFileAtomic(`${path}.pub`, `${pair.public_key}\n`)
  return pair
}

/**
 * One in 256 of those which ssh2 1.17 makes lacks the zero at the beginning of its public half, and
 * nobody can read it.
 */
export function makeSshKey(): SshKey {
  for (let tries = 0; tries < KEY_TRIES_MAX; tries++) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment: COMMENT })
    const readable = [pair.private, pair.public].every(
      (text) => !(ssh2.utils.parseKey(text) instanceof Error),
    )
    if (readable) return { private_key: pair.private, public_key: pair.public }
  }
  throw new Error('no readable ssh key was made')
}

export type HostKeyVerdict = 'known' | 'new' | 'changed'

/** Whether an amphora shows the key it showed before; a first one is remembered. */
export function checkHostKey(
  data_dir: string,
  amphora_id: string,
  key: Uint8Array,
): HostKeyVerdict {
  const path = hostKeyIn(data_dir, amphora_id)
  const seen = fingerprintOf(key)
  const before = readTextIfExists(path)?.trim()
  if (before !== undefined) return before === seen ? 'known' : 'changed'
  makeFolder(dirname(path), 0o700)
  writeFileAtomic(path, `${seen}\n`, SECRET_MODE)
  return 'new'
}

/** As ssh prints it: `SHA256:` and base64 without padding. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}
