/**
 * What `setup` makes, as things which are found or made, and made only once. The record says what
 * was made here, so that only that is taken back: it is written before something is made, so that
 * an interruption at any point leaves nothing unknown behind.
 */
import { readTextIfExists, SECRET_MODE, writeFileAtomic } from '../../system/files.ts'
import { CommandFailure } from '../io.ts'

export interface Thing {
  /** Kebab-case; stored. Later things ask for its id by this. */
  readonly key: string
  /** `role load-balancer_admin`. */
  readonly title: string
  /** Why it cannot be made, where it cannot, and what to do: told before anything is made. */
  readonly obstacle?: string
  /** Its id, where it is there. A thing that it depends on may be missing, too. */
  find(ids: Ids): Promise<string | undefined>
  make(ids: Ids): Promise<string>
  /** Success when it is gone. */
  remove(id: string, ids: Ids): Promise<void>
}

/** Ids of the things that are there, by key. */
export interface Ids {
  find(key: string): string | undefined
  /** Of a thing that was made or found before this one. */
  get(key: string): string
}

export interface Survey {
  readonly thing: Thing
  readonly id: string | undefined
}

export class KnownIds implements Ids {
  readonly #ids = new Map<string, string>()

  set(key: string, id: string): void {
    this.#ids.set(key, id)
  }

  find(key: string): string | undefined {
    return this.#ids.get(key)
  }

  get(key: string): string {
    const id = this.#ids.get(key)
    if (id === undefined) throw new CommandFailure(`${key} is missing; run setup again`)
    return id
  }
}

/** What is there and what is not, in order; nothing is changed. */
export async function survey(things: readonly Thing[]): Promise<readonly Survey[]> {
  const ids = new KnownIds()
  const found: Survey[] = []
  for (const thing of things) {
    const id = await thing.find(ids)
    if (id !== undefined) ids.set(thing.key, id)
    found.push({ thing, id })
  }
  return found
}

/** What stands in the way of making what is missing. */
export function obstaclesOf(found: readonly Survey[]): readonly string[] {
  return found.flatMap(({ thing, id }) => (id === undefined ? (thing.obstacle ?? []) : []))
}

/** Makes what is missing; `told` hears of each thing. */
export async function makeMissing(
  things: readonly Thing[],
  record: Record,
  told: (thing: Thing, made: boolean) => void,
): Promise<Ids> {
  const ids = new KnownIds()
  for (const thing of things) {
    const found = await thing.find(ids)
    if (found === undefined) {
      record.begin(thing.key)
      const id = await thing.make(ids)
      record.finish(thing.key, id)
      ids.set(thing.key, id)
    } else {
      // Interrupted between the making and the record of it.
      if (record.isBegun(thing.key)) record.finish(thing.key, found)
      ids.set(thing.key, found)
    }
    told(thing, found === undefined)
  }
  return ids
}

/** Takes back what the record says was made, the last first. */
export async function takeBack(
  things: readonly Thing[],
  record: Record,
  told: (thing: Thing) => void,
): Promise<void> {
  const ids = new KnownIds()
  for (const { thing, id } of await survey(things)) if (id !== undefined) ids.set(thing.key, id)
  for (const thing of things.toReversed()) {
    if (!record.has(thing.key)) continue
    const id = record.idOf(thing.key) ?? ids.find(thing.key)
    if (id !== undefined) await thing.remove(id, ids)
    record.forget(thing.key)
    told(thing)
  }
}

/** The file of what was made: key to id, null while it is being made. */
export class Record {
  readonly #path: string
  readonly #made: Map<string, string | null>

  constructor(path: string) {
    this.#path = path
    const text = readTextIfExists(path)
    this.#made = new Map(text === undefined ? [] : parseRecord(path, text))
  }

  has(key: string): boolean {
    return this.#made.has(key)
  }

  isBegun(key: string): boolean {
    return this.#made.get(key) === null
  }

  idOf(key: string): string | null {
    return this.#made.get(key) ?? null
  }

  begin(key: string): void {
    this.#write(key, null)
  }

  finish(key: string, id: string): void {
    this.#write(key, id)
  }

  forget(key: string): void {
    this.#made.delete(key)
    this.#save()
  }

  #write(key: string, id: string | null): void {
    this.#made.set(key, id)
    this.#save()
  }

  #save(): void {
    const made = Object.fromEntries(this.#made)
    writeFileAtomic(this.#path, `${JSON.stringify({ made }, null, 2)}\n`, SECRET_MODE)
  }
}

function parseRecord(path: string, text: string): readonly [string, string | null][] {
  try {
    const { made } = JSON.parse(text) as { made: { [key: string]: string | null } }
    return Object.entries(made)
  } catch (cause) {
    throw new CommandFailure(
      `${path}, which says what setup has made, cannot be read; restore it, or remove it if nothing of it shall be taken back`,
      undefined,
      cause,
    )
  }
}
