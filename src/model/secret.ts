/**
 * What a request to keep a secret says, in Barbican's words (barbican/common/validators.py); only
 * what certificates need. Pure.
 */
import { type FieldType, field, integer, isObject, name, oneOf, text } from './field.ts'
import { list } from './nested-field.ts'
import { reference } from './tls.ts'

export const SECRET_TYPES = [
  'opaque',
  'certificate',
  'private',
  'public',
  'symmetric',
  'passphrase',
] as const

export const CONTENT_TYPES = ['text/plain', 'application/octet-stream'] as const

/** Any text: what is secret is not looked at, and no refusal shows it. */
const payload: FieldType<string> = {
  column: 'text',
  schema: { type: 'string' },
  parse: (value) =>
    typeof value === 'string' && value.isWellFormed()
      ? { ok: true, value }
      : { ok: false, message: 'Value should be string' },
}

const optional = { nullable: true } as const

export const secretFields = {
  name: field(name, { help: 'A name for people.', fallback: '' }),
  secret_type: field(oneOf(SECRET_TYPES), { help: 'What it is.', fallback: 'opaque' }),
  algorithm: field(name, { help: 'Of a key.', ...optional }),
  bit_length: field(integer(1), { help: 'Of a key.', ...optional }),
  mode: field(name, { help: 'Of a key.', ...optional }),
  expiration: field(text({ max: 64 }), { help: 'When it is of no use any more.', ...optional }),
  payload: field(payload, { help: 'The secret itself.', ...optional }),
  payload_content_type: field(name, { help: 'text/plain, or bytes.', ...optional }),
  payload_content_encoding: field(oneOf(['base64']), {
    help: 'How bytes are written as text.',
    ...optional,
  }),
} as const

/** What a container of a certificate may have in it; the first one it must have. */
export const CERTIFICATE_PARTS = [
  'certificate',
  'private_key',
  'private_key_passphrase',
  'intermediates',
] as const

export interface SecretPart {
  readonly name: string
  readonly secret_ref: string
}

const part: FieldType<SecretPart> = {
  column: 'json',
  schema: {
    type: 'object',
    properties: { name: name.schema, secret_ref: reference.schema },
    required: ['name', 'secret_ref'],
  },
  parse: (value) => {
    if (!isObject(value)) return { ok: false, message: 'Value should be a dictionary' }
    const named = name.parse(value.name)
    const referred = reference.parse(value.secret_ref)
    if (!named.ok || !referred.ok)
      return { ok: false, message: 'Value should have name and secret_ref' }
    return { ok: true, value: { name: named.value, secret_ref: referred.value } }
  },
}

export const containerFields = {
  name: field(name, { help: 'A name for people.', fallback: '' }),
  type: field(oneOf(['certificate', 'generic']), { help: 'What it is.', required: true }),
  secret_refs: field(list(part, 16), { help: 'The secrets in it.', fallback: [] }),
} as const
