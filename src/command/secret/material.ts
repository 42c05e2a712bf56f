/** What `octavia-lite secret store` is given, read and judged before anything is sent. */
import { readFileSync } from 'node:fs'
import type { CertificateMaterial } from '../../driver/certificate-manager.ts'
import {
  expiredText,
  type Reading,
  readAuthority,
  readCertificate,
  readRevocations,
} from '../../driver/read-certificate.ts'
import { CommandFailure, EXIT } from '../io.ts'
import type { NewSecret } from './key-manager.ts'

/** What is to be stored: by part where it is a certificate. */
export interface Bundle {
  readonly parts: ReadonlyMap<string, Omit<NewSecret, 'name'>>
  /** One secret that is referred to by itself, or a certificate of parts. */
  readonly single: boolean
  readonly valid_until_ms: number
}

type Files = ReadonlyMap<string, unknown>

/** Longer ones are another file by mistake. */
const BYTES_MAX = 1_048_576
const SOON_MS = 30 * 86_400_000

/** Throws a CommandFailure that says which file is wrong, and never what is in it. */
export function readBundle(given: Files): Bundle {
  const read = createReader()
  const file = (name: string): Uint8Array | undefined => {
    const path = given.get(name)
    return typeof path === 'string' ? read(path) : undefined
  }
  const [certificate, key, pkcs12, plain] = [
    file('certificate'),
    file('private-key'),
    file('pkcs12'),
    file('file'),
  ]
  if (pkcs12 !== undefined) return readPkcs12(pkcs12, String(given.get('pkcs12')))
  if (plain !== undefined) return readPlain(plain, String(given.get('file')))
  if (certificate === undefined || key === undefined)
    throw new CommandFailure(
      '--certificate FILE with --private-key FILE, --pkcs12 FILE or --file FILE is needed',
      EXIT.usage,
    )
  const passphrase = file('passphrase-file')
  return readParts(certificate, key, file('intermediates'), passphrase, given)
}

function readParts(
  certificate: Uint8Array,
  private_key: Uint8Array,
  intermediates: Uint8Array | undefined,
  passphrase: Uint8Array | undefined,
  given: Files,
): Bundle {
  const secret =
    passphrase === undefined
      ? null
      : Buffer.from(passphrase)
          .toString('utf8')
          .replace(/\r?\n$/, '')
  const material: CertificateMaterial = {
    form: 'parts',
    certificate,
    private_key,
    passphrase: secret,
    intermediates: intermediates ?? null,
  }
  const names = `${given.get('certificate')} with ${given.get('private-key')}`
  const { valid_until_ms } = good(readCertificate(material), names)
  const parts = new Map([
    ['certificate', pem('certificate', certificate)],
    ['private_key', pem('private', private_key)],
  ])
  if (intermediates !== undefined) parts.set('intermediates', pem('certificate', intermediates))
  if (secret !== null)
    parts.set('private_key_passphrase', pem('passphrase', Buffer.from(secret, 'utf8')))
  return { parts, single: false, valid_until_ms }
}

function readPkcs12(content: Uint8Array, name: string): Bundle {
  const reading = readCertificate({ form: 'pkcs12', content })
  if (!reading.ok)
    throw new CommandFailure(
      `${name} ${reading.problem}; if it has a password, store what is in it: ` +
        `openssl pkcs12 -in ${name} -nodes -out all.pem, and then all.pem as --certificate and ` +
        'as --private-key',
    )
  const secret = { secret_type: 'opaque', content, content_type: BYTES } as const
  return { parts: new Map([['', secret]]), single: true, valid_until_ms: reading.valid_until_ms }
}

/** A CA or a revocation list. */
function readPlain(content: Uint8Array, name: string): Bundle {
  const text = Buffer.from(content).toString('utf8')
  const isList = text.includes('-----BEGIN X509 CRL-----')
  const { valid_until_ms } = good(isList ? readRevocations(text) : readAuthority(text), name)
  const secret = pem(isList ? 'opaque' : 'certificate', content)
  return { parts: new Map([['', secret]]), single: true, valid_until_ms }
}

const BYTES = 'application/octet-stream'

/** PEM is text; DER, which some authorities hand out, is not. */
function pem(secret_type: string, content: Uint8Array): Omit<NewSecret, 'name'> {
  const isText = !/[^\t\n\r\x20-\x7e]/.test(Buffer.from(content).toString('latin1'))
  return { secret_type, content, content_type: isText ? 'text/plain' : BYTES }
}

function good(reading: Reading, what: string): Reading & { readonly ok: true } {
  if (reading.ok) return reading
  throw new CommandFailure(`${what} ${reading.problem}; nothing was stored`)
}

/** A warning about its end; undefined while that is far away. */
export function expiryNote(valid_until_ms: number, now_ms: number): string | undefined {
  if (valid_until_ms <= now_ms) return `warning: it ${expiredText(valid_until_ms)}`
  const days = Math.floor((valid_until_ms - now_ms) / 86_400_000)
  return valid_until_ms - now_ms < SOON_MS ? `warning: it expires in ${days} days` : undefined
}

/** `-` is the standard input, which can be read once. */
function createReader(): (path: string) => Uint8Array {
  let taken = false
  return (path) => {
    if (path === '-' && taken)
      throw new CommandFailure('only one file can be the standard input', EXIT.usage)
    taken ||= path === '-'
    try {
      const bytes = readFileSync(path === '-' ? 0 : path)
      if (bytes.length > 0 && bytes.length <= BYTES_MAX) return bytes
    } catch (cause) {
      const { code } = cause as { code?: string }
      throw new CommandFailure(`${path} cannot be read (${code})`, EXIT.failure, cause)
    }
    throw new CommandFailure(`${path} is empty or too long`)
  }
}
