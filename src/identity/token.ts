/**
 * Tokens carry what they say and a signature over it, so none is stored: only those taken back
 * early are. What they say is who logged in and for what; which roles that gives is read anew when
 * one is shown. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface Claims {
  readonly user_id: string
  /** null: unscoped. */
  readonly project_id: string | null
  /** The user's, when it was issued. */
  readonly token_version: number
  readonly credential_id: string | null
  readonly methods: readonly string[]
  /** Names this token in logs and in the table of revoked ones, and is no secret. */
  readonly audit_id: string
  readonly issued_ms: number
  readonly expires_ms: number
}

const FORM = /^ol1\.([A-Za-z0-9_-]{1,1400})\.([A-Za-z0-9_-]{43})$/

export function sealToken(key: string, claims: Claims): string {
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
  return `ol1.${payload}.${signature(key, payload).toString('base64url')}`
}

/**
 * What the token says, or undefined when it was not made with this key. Does not look at the time.
 */
export function openToken(key: string, token: string): Claims | undefined {
  const [, payload, signed] = FORM.exec(token) ?? []
  if (payload === undefined || signed === undefined) return undefined
  const expected = signature(key, payload)
  const given = Buffer.from(signed, 'base64url')
  // The last character carries spare bits: more than one text would mean the same signature.
  if (given.length !== expected.length || given.toString('base64url') !== signed) return undefined
  if (!timingSafeEqual(given, expected)) return undefined
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims
}

function signature(key: string, payload: string): Buffer {
  return createHmac('sha256', key).update(`octavia-lite token 1 ${payload}`).digest()
}
