/** A key manager, Barbican or the built-in one, as `octavia-lite secret` asks it. */
import { isObject } from '../../model/field.ts'
import { type OpenCloud, parsed, reasonIn } from '../cloud-login.ts'
import { CommandFailure } from '../io.ts'

/** What a user sees as one thing: a certificate with its parts, or a secret that is in none. */
export interface Kept {
  readonly kind: 'containers' | 'secrets'
  readonly ref: string
  readonly id: string
  readonly name: string
  /** `certificate`, or what the secret is. */
  readonly type: string
  readonly created: string
  readonly content_type: string | null
  /** Part to reference. */
  readonly parts: ReadonlyMap<string, string>
}

export interface NewSecret {
  readonly name: string
  readonly secret_type: string
  readonly content: Uint8Array
  readonly content_type: 'text/plain' | 'application/octet-stream'
}

type View = Readonly<Record<string, unknown>>

const PAGE = 100
/** The most that is asked for: more than a project can have here. */
const PAGES_MAX = 1_000

export class KeyManager {
  readonly #cloud: OpenCloud
  readonly #base: string
  constructor(cloud: OpenCloud) {
    this.#cloud = cloud
    this.#base = `${cloud.endpointOf('key-manager') ?? ''}/v1`
  }

  /** All that can be referred to, or only what has this name. */
  async list(name?: string): Promise<readonly Kept[]> {
    const named = name === undefined ? '' : `&name=${encodeURIComponent(name)}`
    const containers = (await this.#all('containers', '')).map(keptContainer)
    const within = new Set(containers.flatMap(({ parts }) => [...parts.values()].map(idOf)))
    const secrets = (await this.#all('secrets', named)).map(keptSecret)
    return [
      ...containers.filter((each) => name === undefined || each.name === name),
      ...secrets.filter(({ id }) => !within.has(id)),
    ]
  }

  /** By reference, id or name. */
  async find(given: string): Promise<Kept> {
    const [, kind, uuid = given] = /\/v1\/(secrets|containers)\/([^/]+)\/?$/.exec(given) ?? []
    if (/^[0-9a-f-]{36}$/i.test(uuid))
      for (const each of kind === undefined ? (['containers', 'secrets'] as const) : [kind]) {
        const { status, text } = await this.#cloud.request('GET', this.#url(each, uuid))
        if (status === 404) continue
        const view = viewIn(status, text)
        return each === 'containers' ? keptContainer(view) : keptSecret(view)
      }
    const [found, another] = await this.list(given)
    if (found === undefined) throw new CommandFailure(`there is no secret '${given}'`)
    if (another === undefined) return found
    throw new CommandFailure(`several secrets are named '${given}'; use a reference`)
  }

  async storeSecret({ name, secret_type, content, content_type }: NewSecret): Promise<string> {
    const plain = content_type === 'text/plain'
    const answer = await this.#ask('POST', 'secrets', {
      name,
      secret_type,
      payload: Buffer.from(content).toString(plain ? 'utf8' : 'base64'),
      payload_content_type: content_type,
      ...(plain ? {} : { payload_content_encoding: 'base64' }),
    })
    return String(answer.secret_ref)
  }

  async storeCertificate(name: string, parts: ReadonlyMap<string, string>): Promise<string> {
    const secret_refs = [...parts].map(([part, secret_ref]) => ({ name: part, secret_ref }))
    const body = { name, type: 'certificate', secret_refs }
    return String((await this.#ask('POST', 'containers', body)).container_ref)
  }

  /** What is in a secret; null where it is not there or may not be read. */
  async payload(ref: string): Promise<Uint8Array | null> {
    const shown = await this.#cloud.request('GET', this.#url('secrets', idOf(ref)))
    if (shown.status !== 200) return null
    const { content_type } = keptSecret(viewIn(shown.status, shown.text))
    const url = `${this.#url('secrets', idOf(ref))}/payload`
    const answer = await this.#cloud.request('GET', url, undefined, content_type ?? '*/*')
    return answer.status === 200 ? answer.bytes : null
  }

  /** Who refers to it, as sentences' ends; empty where the key manager does not say. */
  async users({ kind, id }: Kept): Promise<readonly string[]> {
    const url = `${this.#url(kind, id)}/consumers`
    const { status, text } = await this.#cloud.request('GET', url)
    const body = parsed(text)
    if (status !== 200 || !isObject(body) || !Array.isArray(body.consumers)) return []
    return body.consumers.filter(isObject).map((each) => {
      if (each.resource_id === undefined) return `${each.name} ${each.URL}`
      return `${each.resource_type} ${each.name ?? ''} (${each.resource_id})`.replace('  ', ' ')
    })
  }

  /** With its parts; those that are in another certificate too stay. */
  async delete({ kind, id, parts }: Kept): Promise<void> {
    await this.#ask('DELETE', `${kind}/${id}`)
    const others = (await this.#all('containers', '')).map(keptContainer)
    const shared = new Set(others.flatMap((other) => [...other.parts.values()].map(idOf)))
    for (const part of new Set([...parts.values()].map(idOf)))
      if (!shared.has(part)) await this.#ask('DELETE', `secrets/${part}`)
  }

  async discard(refs: Iterable<string>): Promise<void> {
    for (const ref of refs) await this.#cloud.request('DELETE', this.#url('secrets', idOf(ref)))
  }

  /** The reference's own host may be none that is reached from here. */
  #url(kind: string, id: string): string {
    return `${this.#base}/${kind}/${encodeURIComponent(id)}`
  }

  async #ask(method: string, path: string, body?: unknown): Promise<View> {
    const { status, text } = await this.#cloud.request(method, `${this.#base}/${path}`, body)
    return viewIn(status, text)
  }

  async #all(plural: 'secrets' | 'containers', more: string): Promise<readonly View[]> {
    const found: View[] = []
    for (let page = 0; page < PAGES_MAX; page++) {
      const query = `limit=${PAGE}&offset=${page * PAGE}${more}`
      const items = (await this.#ask('GET', `${plural}?${query}`))[plural]
      const views = Array.isArray(items) ? items.filter(isObject) : []
      found.push(...views)
      if (views.length < PAGE) break
    }
    return found
  }
}

function viewIn(status: number, text: string): View {
  const body = parsed(text)
  if (status >= 200 && status < 300) return isObject(body) ? body : {}
  throw new CommandFailure(`${reasonIn(text)} (HTTP ${status})`)
}

function idOf(ref: string): string {
  return ref.replace(/\/$/, '').slice(ref.lastIndexOf('/') + 1)
}

function keptSecret(view: View): Kept {
  const types = isObject(view.content_types) ? view.content_types : {}
  return {
    ...common(view, 'secrets', String(view.secret_ref)),
    type: String(view.secret_type),
    content_type: typeof types.default === 'string' ? types.default : null,
    parts: new Map(),
  }
}

function keptContainer(view: View): Kept {
  const refs = Array.isArray(view.secret_refs) ? view.secret_refs.filter(isObject) : []
  return {
    ...common(view, 'containers', String(view.container_ref)),
    type: String(view.type),
    content_type: null,
    parts: new Map(refs.map((part) => [String(part.name), String(part.secret_ref)])),
  }
}

function common(view: View, kind: Kept['kind'], ref: string) {
  const { name, created } = view
  return { kind, ref, id: idOf(ref), name: String(name ?? ''), created: String(created ?? '') }
}
