/** What the fuzzer has learnt from answers: which objects there are, and which there were. */
import type { Random } from './random.ts'

/** Of each kind as many are remembered. */
const REMEMBERED_MAX = 40
/** Collections inside objects, as bodies and answers name them, to the collection in paths. */
const NESTED: Readonly<Record<string, string>> = {
  listeners: 'listeners',
  pools: 'pools',
  default_pool: 'pools',
  redirect_pool: 'pools',
  healthmonitor: 'healthmonitors',
  l7policies: 'l7policies',
}

export class Known {
  readonly #random: Random
  /** Collection to paths of its objects, without the prefix: `pools/<id>/members/<id>`. */
  readonly #paths = new Map<string, string[]>()
  readonly #gone: string[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** Looks through the answer to a change; `path` is that of the request, without its prefix. */
  learn(method: string, path: string, body: unknown): void {
    if (method === 'DELETE') {
      this.forget(path)
      return
    }
    const inner = firstValue(body)
    if (!isObject(inner)) return
    const key = keyOf(inner)
    if (method === 'POST' && key !== undefined) this.#add(`${path}/${key}`)
    this.#learnNested(inner)
  }

  /** An id, or a name where names are keys, of some object of a collection. */
  some(collection: string): string {
    return this.path(collection)?.split('/').at(-1) ?? this.#random.uuid()
  }

  /** The path of some object; undefined when none was ever seen. */
  path(collection: string): string | undefined {
    const paths = this.#paths.get(collection) ?? []
    return paths.length === 0 ? undefined : this.#random.pick(paths)
  }

  any(): string {
    const kinds = [...this.#paths.keys()]
    return kinds.length === 0 ? this.#random.uuid() : this.some(this.#random.pick(kinds))
  }

  gone(): string {
    return this.#gone.length === 0 ? this.#random.uuid() : this.#random.pick(this.#gone)
  }

  get collections(): readonly string[] {
    return [...this.#paths.keys()]
  }

  #learnNested(object: Readonly<Record<string, unknown>>): void {
    for (const [name, collection] of Object.entries(NESTED)) {
      const value = object[name]
      for (const child of Array.isArray(value) ? value : [value]) {
        if (!isObject(child) || typeof child.id !== 'string') continue
        const path = `${collection}/${child.id}`
        this.#add(path)
        for (const [inner, below] of [
          ['members', 'members'],
          ['rules', 'rules'],
        ] as const)
          for (const leaf of Array.isArray(child[inner]) ? child[inner] : [])
            if (isObject(leaf) && typeof leaf.id === 'string')
              this.#add(`${path}/${below}/${leaf.id}`)
        this.#learnNested(child)
      }
    }
  }

  #add(path: string): void {
    const collection = path.split('/').at(-2) ?? ''
    const paths = this.#paths.get(collection) ?? []
    this.#paths.set(collection, paths)
    if (paths.includes(path)) return
    paths.push(path)
    if (paths.length > REMEMBERED_MAX) paths.shift()
  }

  /** It is gone, or never was. */
  forget(path: string): void {
    this.#gone.push(path.split('/').at(-1) ?? '')
    if (this.#gone.length > REMEMBERED_MAX) this.#gone.shift()
    for (const paths of this.#paths.values())
      for (let at = paths.length - 1; at >= 0; at--)
        if (paths[at] === path || paths[at]?.startsWith(`${path}/`)) paths.splice(at, 1)
  }
}

function keyOf(object: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof object.id === 'string') return object.id
  // Availability zones are named by their names.
  return typeof object.name === 'string' ? encodeURIComponent(object.name) : undefined
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function firstValue(body: unknown): unknown {
  return isObject(body) ? Object.values(body)[0] : undefined
}
