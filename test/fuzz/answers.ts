/** What holds for every answer, whatever was asked. Each broken rule is a sentence. */
import { isObject } from './known.ts'
import type { FuzzRequest } from './requests.ts'
import { CALLERS } from './world.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Parsed; undefined where it is no JSON. */
  readonly body: unknown
}

/** Deliberate ones: who reads the fault can tell that the server is not broken. */
const REFUSALS: Readonly<Record<number, RegExp>> = {
  501: /^Provider '[^']*' (?:does not support a requested (?:action|option): |was not found)/,
  503: /quota|busy|retry/i,
}

const CHANGES = ['POST', 'PUT', 'DELETE', 'PATCH']

export function brokenAnswer(request: FuzzRequest, answer: Answer): readonly string[] {
  const { status, headers, body, text } = answer
  const out: string[] = []
  const faultstring = isObject(body) ? String(body.faultstring ?? '') : ''
  if (status >= 500 && REFUSALS[status]?.test(faultstring) !== true)
    out.push(`answered ${status}: ${text.slice(0, 500)}`)
  if (!/^req-[0-9a-f-]{36}$/.test(headers.get('x-openstack-request-id') ?? ''))
    out.push('no request id')
  const bare = request.method === 'HEAD' || status === 204
  if (status >= 400 && status < 500 && !bare && !isFault(body))
    out.push(`answered ${status} without a fault: ${text.slice(0, 500)}`)
  const ok = status >= 200 && status < 300
  if (ok && text !== '' && body === undefined && !/healthcheck/.test(request.target))
    out.push('the body is no JSON')
  if (ok && request.caller === 'reader' && CHANGES.includes(request.method))
    out.push('a reader changed something')
  if (ok && request.caller !== 'admin') {
    const { project_id } = CALLERS[request.caller]
    for (const stranger of projectsIn(body))
      if (stranger !== project_id) out.push(`an object of project ${stranger} is shown`)
  }
  return out
}

function isFault(body: unknown): boolean {
  if (!isObject(body)) return false
  return typeof body.faultstring === 'string' || typeof body.title === 'string'
}

/** Who owns what an answer shows. */
function projectsIn(value: unknown): ReadonlySet<unknown> {
  const found = new Set<unknown>()
  const visit = (each: unknown): void => {
    if (Array.isArray(each)) for (const item of each) visit(item)
    if (!isObject(each)) return
    if (typeof each.project_id === 'string') found.add(each.project_id)
    for (const inner of Object.values(each)) visit(inner)
  }
  visit(value)
  return found
}
