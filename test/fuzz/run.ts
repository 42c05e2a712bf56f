/** The fuzzer: requests one after the other, and what must hold after each and after each batch. */
import { deleteJobsBefore } from '../../src/store/jobs.ts'
import { type Answer, brokenAnswer } from './answers.ts'
import { brokenInvariants, loadRows, quotaUse, type Usage } from './invariants.ts'
import { isObject, Known } from './known.ts'
import { createRandom, type Random } from './random.ts'
import { type FuzzRequest, Requests } from './requests.ts'
import { createWorld, type World } from './world.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly requests: number
  /** Called after every batch. */
  readonly progress?: (report: FuzzReport) => void
}

export interface FuzzReport {
  readonly requests: number
  /** Status to how many answers had it. */
  readonly statuses: ReadonlyMap<number, number>
  /** `METHOD template` to how many answers were 2xx. */
  readonly successes: ReadonlyMap<string, number>
  /** `kind word` to how many were made: `listeners SCTP`, `l7policies REJECT`. */
  readonly made: ReadonlyMap<string, number>
  /** `caller status class` to how many: `reader 4`. */
  readonly callers: ReadonlyMap<string, number>
  readonly jobs: number
  readonly batches: number
  /** Empty, or why it ended early. */
  readonly broken: readonly string[]
  /** The last requests before that, one a line. */
  readonly tail: readonly string[]
}

/** After as many requests the database is looked at as a whole. */
export const BATCH = 1000
/** After as many a new database is begun, so that every age of one is seen. */
const WORLD = 10_000
const TAIL_MAX = 40
/** Of requests, how many are let run into a change that is under way. */
const HURRIED = 0.25
/** Of requests, how many are checked to change nothing when they are refused. */
const WATCHED = 0.03

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const random = createRandom(options.seed)
  const run = new Run(random)
  try {
    for (let at = 0; at < options.requests && run.report.broken.length === 0; at++) {
      if (at % WORLD === 0) await run.begin()
      await run.one()
      const done = at + 1
      if (done % BATCH !== 0 && done !== options.requests) continue
      await run.check()
      options.progress?.(run.report)
    }
  } finally {
    await run.end()
  }
  return run.report
}

class Run {
  readonly #random: Random
  readonly #statuses = new Map<number, number>()
  readonly #successes = new Map<string, number>()
  readonly #made = new Map<string, number>()
  readonly #callers = new Map<string, number>()
  readonly #tail: string[] = []
  readonly #broken: string[] = []
  #requests = 0
  #batches = 0
  #jobs = 0
  #world: World | undefined
  #source: Requests | undefined
  #known: Known | undefined
  #usage: Usage = new Map()

  constructor(random: Random) {
    this.#random = random
  }

  get report(): FuzzReport {
    return {
      requests: this.#requests,
      statuses: this.#statuses,
      successes: this.#successes,
      made: this.#made,
      callers: this.#callers,
      jobs: this.#jobs,
      batches: this.#batches,
      broken: this.#broken,
      tail: this.#tail,
    }
  }

  async begin(): Promise<void> {
    await this.end()
    this.#world = await createWorld(this.#random)
    this.#known = new Known(this.#random)
    this.#source = new Requests(this.#random, this.#known)
    this.#usage = new Map()
  }

  async end(): Promise<void> {
    await this.#world?.close()
    this.#world = undefined
  }

  async one(): Promise<void> {
    const world = this.#live()
    const request = (this.#source as Requests).next()
    const watched = this.#random.chance(WATCHED)
    if (watched || !this.#random.chance(HURRIED)) await world.engine.idle()
    const before = watched ? JSON.stringify(await loadRows(world.store)) : undefined
    const answer = await send(world, request)
    this.#count(request, answer)
    this.#broken.push(...brokenAnswer(request, answer))
    if (answer.status === 404) this.#known?.forget(bare(request.target))
    if (answer.status >= 200 && answer.status < 300) await this.#learn(request, answer)
    else if (before !== undefined && before !== JSON.stringify(await loadRows(world.store)))
      this.#broken.push(`a refused request (${answer.status}) changed the database`)
    this.#broken.push(...world.takeErrors().map((line) => `the log has an error: ${line}`))
  }

  /** The whole database, with nothing under way. */
  async check(): Promise<void> {
    const world = this.#live()
    await world.engine.idle()
    this.#broken.push(...world.takeErrors().map((line) => `the log has an error: ${line}`))
    this.#broken.push(...(await brokenInvariants(world.store)))
    this.#batches++
    // As housekeeping does; the fake clock stands still but for what it jumps.
    this.#jobs += await world.store.transaction((tx) =>
      deleteJobsBefore(tx, Number.MAX_SAFE_INTEGER, 1_000_000),
    )
  }

  async #learn(request: FuzzRequest, answer: Answer): Promise<void> {
    const { method, template } = request
    const name = `${method} ${template}`
    this.#successes.set(name, (this.#successes.get(name) ?? 0) + 1)
    if (method === 'GET') return
    if (answer.status === 201) this.#countMade(template, answer)
    this.#known?.learn(method, bare(request.target), answer.body)
    const world = this.#live()
    const { usage, broken } = await quotaUse(world.store, world.limits, this.#usage)
    this.#usage = usage
    this.#broken.push(...broken)
  }

  #count(request: FuzzRequest, { status }: Answer): void {
    this.#requests++
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
    const who = `${request.caller} ${Math.floor(status / 100)}`
    this.#callers.set(who, (this.#callers.get(who) ?? 0) + 1)
    this.#tail.push(lineOf(request, status))
    if (this.#tail.length > TAIL_MAX) this.#tail.shift()
  }

  #countMade(template: string, { body }: Answer): void {
    const row = isObject(body) ? Object.values(body)[0] : undefined
    if (!isObject(row)) return
    const word = row.protocol ?? row.type ?? row.action
    if (typeof word !== 'string') return
    const name = `${template.split('/').at(-1)} ${word}`
    this.#made.set(name, (this.#made.get(name) ?? 0) + 1)
  }

  #live(): World {
    if (this.#world === undefined) throw new Error('the fuzzer has no world')
    return this.#world
  }
}

async function send(world: World, request: FuzzRequest): Promise<Answer> {
  const { method, target, headers, body } = request
  const bodiless = method === 'GET' || method === 'HEAD' || body === undefined
  const response = await world.handle(
    new Request(`http://lb.example${target}`, { method, headers, ...(bodiless ? {} : { body }) }),
  )
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Checked by whoever looks at the answer.
    return undefined
  }
}

/** The path below the prefix, without the query. */
function bare(target: string): string {
  const path = target.split('?', 1)[0] ?? ''
  return path.replace(/^\/v2(\.0)?(\/lbaas|\/octavia)?\//, '').replace(/(\.json|\/)$/, '')
}

function lineOf({ method, target, caller, body }: FuzzRequest, status: number): string {
  const text = body === undefined ? '' : typeof body === 'string' ? body : '(bytes)'
  const short = text.length > 400 ? `${text.slice(0, 400)}... (${text.length})` : text
  return `${status} ${caller} ${method} ${target.slice(0, 300)} ${short}`
}
