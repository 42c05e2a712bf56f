/**
 * The body of POST /v3/auth/tokens as a LoginRequest. Unknown attributes are passed over, as in
 * Keystone.
 */
import type { LoginRequest, Proof, Reference } from '../../identity/login.ts'
import { refusal } from '../../identity/refusal.ts'
import { isRecord, type Json, objectIn, textIn } from './route.ts'
import { DOMAIN } from './views.ts'

/** Throws 400 for a body that is malformed, 401 for one that nobody here can satisfy. */
export function parseLogin(body: unknown): Omit<LoginRequest, 'source'> {
  const auth = objectIn(body, 'auth')
  return { proof: proofIn(objectIn(auth, 'identity')), scope: scopeIn(auth.scope) }
}

function proofIn(identity: Json): Proof {
  const { methods } = identity
  if (!Array.isArray(methods) || methods.length === 0)
    throw refusal.badRequest("Invalid input for field 'methods': it must be a list of methods.")
  const [method, ...more] = new Set(methods)
  // Several methods would mean several factors, and there are not two which one user has.
  if (more.length > 0) throw refusal.unauthorized()
  switch (method) {
    case 'password': {
      const user = objectIn(objectIn(identity, 'password'), 'user')
      return { method, user: named(user, 'user'), password: required(user, 'password') }
    }
    case 'application_credential': {
      const given = objectIn(identity, 'application_credential')
      const user = isRecord(given.user) ? named(given.user, 'user') : null
      const credential = reference(given, 'application_credential')
      return { method, credential, user, secret: required(given, 'secret') }
    }
    case 'token':
      return { method, token: required(objectIn(identity, 'token'), 'id') }
    default:
      throw refusal.unauthorized()
  }
}

function scopeIn(scope: unknown): LoginRequest['scope'] {
  if (scope === undefined || scope === null) return 'default'
  if (scope === 'unscoped') return 'none'
  if (!isRecord(scope)) throw refusal.badRequest("Invalid input for field 'scope'.")
  if ('unscoped' in scope) return 'none'
  if (!('project' in scope)) return 'foreign'
  return named(objectIn(scope, 'project'), 'project')
}

/** By id, or by name with a domain; throws 401 for another domain than ours. */
function named(given: Json, what: string): Reference {
  const found = reference(given, what)
  if (found.by === 'id') return found
  const domain = objectIn(given, 'domain')
  const [id, name] = [textIn(domain, 'id'), textIn(domain, 'name')]
  if (id === undefined && name === undefined)
    throw refusal.badRequest(`Invalid input: the domain of '${what}' needs an id or a name.`)
  const ours =
    id === undefined ? name?.toLowerCase() === DOMAIN.name.toLowerCase() : id === DOMAIN.id
  if (!ours) throw refusal.unauthorized()
  return found
}

function reference(given: Json, what: string): Reference {
  const [id, name] = [textIn(given, 'id'), textIn(given, 'name')]
  if (id !== undefined) return { by: 'id', value: id }
  if (name !== undefined) return { by: 'name', value: name }
  throw refusal.badRequest(`Invalid input: '${what}' needs an id or a name.`)
}

function required(parent: Json, name: string): string {
  const value = textIn(parent, name)
  if (value === undefined) throw refusal.badRequest(`'${name}' is a required property`)
  return value
}
