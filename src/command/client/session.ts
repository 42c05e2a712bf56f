/** Requests of the client commands, their faults, and names turned into ids. */
import { isObject } from '../../model/field.ts'
import { parseUuid } from '../../system/ids.ts'
import { type CloudAnswer, type OpenCloud, parsed, reasonIn } from '../cloud-login.ts'
import { CommandFailure } from '../io.ts'
import { KINDS, type Kind } from './table.ts'

export type View = Readonly<Record<string, unknown>>

/** Pages of one list, each of at most what the server gives at once. */
const PAGES_MAX = 10_000

/** An answer of 400 and above, in the words of the server. */
export class RequestFailure extends CommandFailure {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export class Session {
  readonly #cloud: OpenCloud
  constructor(cloud: OpenCloud) {
    this.#cloud = cloud
  }

  /** The body of a success; everything else is a RequestFailure. */
  async request(method: string, target: string, body?: unknown): Promise<View> {
    const answer = await this.#cloud.request(method, target, body)
    const content = parsed(answer.text)
    if (answer.status >= 200 && answer.status < 300) return isObject(content) ? content : {}
    throw new RequestFailure(answer.status, this.#explain(answer))
  }

  #explain({ status, headers, text }: CloudAnswer): string {
    const request_id = headers.get('x-openstack-request-id')
    const id = request_id === null ? '' : ` (Request-ID: ${request_id})`
    const what = `${reasonIn(text)} (HTTP ${status})${id}`
    if (status === 409) return `${what}; if another change is under way, wait for its end (--wait)`
    if (status !== 401) return what
    return this.#cloud.token === null
      ? `${what}; log in: set OS_CLOUD, or the OS_* variables of the cloud`
      : `${what}; the token is not accepted there, check OS_AUTH_URL and the endpoint`
  }

  /** The path of a collection, or of one resource in it. */
  pathOf(kind: Kind, parent?: string, id?: string): string {
    const place = KINDS[kind]
    const base =
      place.service === 'load-balancer' ? '' : (this.#cloud.endpointOf(place.service) ?? '')
    const path = place.path.replace(':parent', encodeURIComponent(parent ?? ''))
    return `${base}${path}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`
  }

  /** One resource without its wrapper. */
  async show(kind: Kind, id: string, parent?: string): Promise<View> {
    return unwrapped(await this.request('GET', this.pathOf(kind, parent, id)))
  }

  /** All pages of a list. */
  async list(kind: Kind, filters: URLSearchParams, parent?: string): Promise<readonly View[]> {
    const { plural } = KINDS[kind]
    const path = this.pathOf(kind, parent)
    const found: View[] = []
    let query = filters.toString()
    for (let page = 0; page < PAGES_MAX; page++) {
      const answer = await this.request('GET', query === '' ? path : `${path}?${query}`)
      const items = answer[plural]
      found.push(...(Array.isArray(items) ? items.filter(isObject) : []))
      const next = nextQuery(answer[`${plural}_links`])
      if (next === undefined) return found
      query = next
    }
    throw new CommandFailure(`the list of ${plural} does not end`)
  }

  /** Name or id to what requests call it. Several of one name are a failure. */
  async resolve(kind: Kind, given: string, parent?: string): Promise<string> {
    if (kind === 'project') return await this.#resolveProject(given)
    if (kind === 'amphora' || kind === 'provider') return given
    const { key } = KINDS[kind]
    if (key === 'id' && parseUuid(given) !== undefined) {
      const found = await this.#only(kind, 'id', given, parent)
      if (found !== undefined) return found
    }
    const found = await this.#only(kind, 'name', given, parent)
    if (found !== undefined) return found
    throw new CommandFailure(`there is no ${kind.replaceAll('_', ' ')} '${given}'`)
  }

  async #only(kind: Kind, by: 'id' | 'name', given: string, parent?: string) {
    const found = await this.#listOrOnlyId(kind, by, given, parent)
    if (found.length > 1)
      throw new CommandFailure(
        `${found.length} ${KINDS[kind].plural} are named '${given}'; use the ID`,
      )
    const value = found[0]?.[KINDS[kind].key]
    return typeof value === 'string' ? value : undefined
  }

  /** Where nobody answers for networks, an id of a port or subnet is taken as it is. */
  async #listOrOnlyId(kind: Kind, by: 'id' | 'name', given: string, parent?: string) {
    try {
      return await this.list(kind, new URLSearchParams({ [by]: given }), parent)
    } catch (error) {
      const missing = error instanceof RequestFailure && error.status === 404
      if (!missing || by !== 'id' || KINDS[kind].service !== 'network') throw error
      return [{ id: given }]
    }
  }

  /** Without Keystone, or without the right to look, what was given is taken for the id. */
  async #resolveProject(given: string): Promise<string> {
    if (this.#cloud.endpointOf('identity') === undefined) return given
    try {
      return String((await this.show('project', given)).id ?? given)
    } catch (error) {
      if (!(error instanceof RequestFailure) || ![403, 404].includes(error.status)) throw error
    }
    try {
      return (await this.#only('project', 'name', given)) ?? given
    } catch (error) {
      if (error instanceof RequestFailure && error.status === 403) return given
      throw error
    }
  }
}

/** `{"loadbalancer": {...}}` to what is in it; some answers have no wrapper. */
export function unwrapped(body: View): View {
  const values = Object.values(body)
  const [only] = values
  return values.length === 1 && isObject(only) ? only : body
}

function nextQuery(links: unknown): string | undefined {
  const next = (Array.isArray(links) ? links : []).filter(isObject).find((l) => l.rel === 'next')
  return typeof next?.href === 'string' ? next.href.split('?')[1] : undefined
}
