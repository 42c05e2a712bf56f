/**
 * The data directory: made at the first start, found again at every other. What is there is never
 * overwritten: a file that cannot be read or is not what it should be ends the start with a
 * sentence.
 */
import { Database } from 'bun:sqlite'
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createCa, issueClientCertificate } from '../../driver/local/certificate.ts'
import { makeFolder, SECRET_MODE, writeFileAtomic } from '../../system/files.ts'
import { CommandFailure, EXIT } from '../io.ts'

/**
 * PEM; certificate and key of one identity stand in one file, so that a crash cannot separate them.
 */
export interface Identity {
  readonly certificate: string
  readonly key: string
}

export interface DataFolder {
  readonly database: string
  readonly cloud: string
  /** Certificates of users, unless they are elsewhere. */
  readonly certificates: string
  /** Issues the agents' server certificates; the controller trusts it. */
  readonly serverCa: Identity
  /** Issued the controller's client certificate; the agents trust it. */
  readonly clientCa: Identity
  readonly client: Identity
  readonly heartbeatKey: string
  /** Which octavia-lite this is, in the marks of what it makes in a cloud. */
  readonly deployment: string
  /** Signs the tokens of the built-in identity. */
  readonly tokenKey: string
  /** The file of keys of the built-in store of secrets. */
  readonly secretKeys: string
  /** What Neutron said last of this host's port on the management network. */
  readonly managementPort: string
  /** Ends the hold on the directory; the end of the process does the same. */
  release(): void
}

const CA_DAYS = 3650
const FOLDER_MODE = 0o700

/** The database, also for a command that works on it beside serve. */
export function databaseIn(path: string): string {
  return join(path, 'octavia-lite.db')
}

/** The state of the local cloud, likewise. */
export function cloudIn(path: string): string {
  return join(path, 'cloud')
}

/** The keys of stored secrets, likewise. */
export function secretKeysIn(path: string): string {
  return join(path, 'secret.keys')
}

/** The key of heartbeats, likewise. */
export function heartbeatKeyIn(path: string): string {
  return join(path, 'heartbeat.key')
}

/** The file that says which octavia-lite this is, likewise. */
export function deploymentIn(path: string): string {
  return join(path, 'deployment')
}

/** The file about the management port, likewise. */
export function managementPortIn(path: string): string {
  return join(path, 'management-port.json')
}

export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    makeFolder(path, FOLDER_MODE)
    // An existing folder, made by a package or by hand, may be open to others.
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, FOLDER_MODE)
    makeFolder(join(path, 'certs'), FOLDER_MODE)
    makeFolder(join(path, 'certificates'), FOLDER_MODE)
  } catch (cause) {
    throw unusable(path, cause)
  }
  const release = hold(path)
  try {
    const certs = join(path, 'certs')
    // The first start is mostly the making of RSA keys, so they are made side by side.
    const [serverCa, [clientCa, client]] = await Promise.all([
      identity(join(certs, 'server_ca.pem'), () => createCa('octavia-lite server CA', CA_DAYS)),
      clientIdentities(certs),
    ])
    const newKey = (): string => randomBytes(32).toString('hex')
    const heartbeatKey = secret(heartbeatKeyIn(path), newKey)
    const deployment = secret(deploymentIn(path), () => randomBytes(8).toString('hex'))
    const tokenKey = secret(join(path, 'token.key'), newKey)
    return {
      database: databaseIn(path),
      cloud: cloudIn(path),
      certificates: join(path, 'certificates'),
      serverCa,
      clientCa,
      client,
      heartbeatKey,
      deployment,
      tokenKey,
      secretKeys: secretKeysIn(path),
      managementPort: managementPortIn(path),
      release,
    }
  } catch (error) {
    release()
    throw error
  }
}

async function clientIdentities(certs: string): Promise<readonly [Identity, Identity]> {
  const ca = await identity(join(certs, 'client_ca.pem'), () =>
    createCa('octavia-lite client CA', CA_DAYS),
  )
  const client = await identity(join(certs, 'client.pem'), () =>
    issueClientCertificate(ca, 'octavia-lite controller', CA_DAYS),
  )
  return [ca, client]
}

/**
 * One serve per data directory: an exclusive transaction on a database of its own is a lock which
 * the kernel gives back when the process ends, however it ends.
 */
function hold(path: string): () => void {
  let lock: Database
  try {
    lock = new Database(join(path, 'lock'), { create: true })
    lock.run('PRAGMA busy_timeout = 0')
    lock.run('BEGIN EXCLUSIVE')
    return () => lock.close()
  } catch (cause) {
    if ((cause as { code?: string }).code === 'SQLITE_BUSY')
      throw new CommandFailure(
        `another octavia-lite serve uses ${path}; stop it, or choose another data_dir`,
        EXIT.failure,
        cause,
      )
    throw unusable(path, cause)
  }
}

async function identity(
  path: string,
  make: () => Promise<{ readonly certificate: string; readonly key: string }>,
): Promise<Identity> {
  const found = read(path)
  if (found === undefined) {
    const { certificate, key } = await make()
    write(path, `${certificate.trim()}\n${key.trim()}\n`)
    return { certificate, key }
  }
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(found)?.[0]
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/.exec(
    found,
  )?.[0]
  try {
    if (certificate === undefined || key === undefined) throw new Error('a certificate and a key')
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
      throw new Error('a certificate and its key')
    return { certificate: `${certificate}\n`, key: `${key}\n` }
  } catch (cause) {
    // The cause can quote key material, so it is not told.
    throw new CommandFailure(
      `${path} is no certificate with its key; restore it from a backup, or remove it if no amphora is left`,
      EXIT.failure,
      cause,
    )
  }
}

function secret(path: string, make: () => string): string {
  const found = read(path)?.trim()
  if (found === undefined) {
    const made = make()
    write(path, `${made}\n`)
    return made
  }
  if (found.length < 16)
    throw new CommandFailure(`${path} holds no key; restore it from a backup`, EXIT.failure)
  return found
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(path, cause)
  }
}

function write(path: string, text: string): void {
  try {
    writeFileAtomic(path, text, SECRET_MODE)
  } catch (cause) {
    throw unusable(path, cause)
  }
}

function unusable(path: string, cause: unknown): CommandFailure {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new CommandFailure(`${path} cannot be used: ${why}`, EXIT.failure, cause)
}
