/** Waiting for the end of a change, with one line that shows how it goes. */
import { isObject } from '../../model/field.ts'
import type { Clock } from '../../system/clock.ts'
import { CommandFailure, type Io } from '../io.ts'
import { RequestFailure, type Session, type View } from './session.ts'
import { KINDS, type Kind } from './table.ts'

/** Polls begin quickly, for labs, and slow down to the three seconds of upstream's client. */
const POLL_MS_MIN = 200
const POLL_MS_MAX = 3_000
/** Deletes are given up after five minutes, as upstream's client does. */
const DELETE_MS_MAX = 300_000
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const

interface Waiting {
  readonly session: Session
  readonly clock: Clock
  readonly io: Io
}

/** The status of a thing that is waited for; undefined once it is gone. */
type Look = () => Promise<string | undefined>

export async function waitForActive(on: Waiting, kind: Kind, id: string, parent?: string) {
  const look = statusOf(on.session, kind, id, parent)
  const end = await follow(on, `${kind} ${id}`, look, (status) => status === 'ACTIVE')
  if (end === 'ACTIVE') return
  throw new CommandFailure(
    end === undefined
      ? `${kind} ${id} is gone`
      : `${kind} ${id} did not become ACTIVE but ${end}; the operator sees why in \`octavia-lite jobs list\``,
  )
}

export async function waitForDelete(on: Waiting, kind: Kind, id: string, parent?: string) {
  const look = statusOf(on.session, kind, id, parent)
  const until = on.clock.now() + DELETE_MS_MAX
  const end = await follow(on, `${kind} ${id}`, look, () => on.clock.now() > until)
  if (end === undefined || end === 'DELETED') return
  throw new CommandFailure(`${kind} ${id} was not deleted, it is ${end}`)
}

/** Polls until it is gone, in ERROR, or `done`; the last status. */
async function follow(
  { clock, io }: Waiting,
  what: string,
  look: Look,
  done: (status: string) => boolean,
): Promise<string | undefined> {
  const started = clock.now()
  const progress = createProgress(io, what)
  try {
    for (let poll = POLL_MS_MIN; ; poll = Math.min(poll * 1.5, POLL_MS_MAX)) {
      const status = await look()
      if (status === undefined || ['ERROR', 'DELETED'].includes(status) || done(status))
        return status
      progress.show(status, clock.now() - started)
      await clock.sleep(poll)
    }
  } finally {
    progress.end()
  }
}

function statusOf(session: Session, kind: Kind, id: string, parent?: string): Look {
  const key = kind === 'amphora' ? 'status' : 'provisioning_status'
  return async () => {
    try {
      const status = (await session.show(kind, id, parent))[key]
      return typeof status === 'string' ? status : undefined
    } catch (error) {
      if (error instanceof RequestFailure && error.status === 404) return undefined
      throw error
    }
  }
}

/** On a terminal one line that is written over; elsewhere a line for each new status. */
function createProgress(io: Io, what: string) {
  let frame = 0
  let last = ''
  return {
    show(status: string, ms: number): void {
      if (io.liveProgress === true) {
        const sign = FRAMES[frame++ % FRAMES.length]
        io.err(`\r\x1b[K${sign} ${what}: ${status}, ${(ms / 1000).toFixed(1)} s`)
      } else if (status !== last) io.err(`${what}: ${status}\n`)
      last = status
    },
    end(): void {
      if (io.liveProgress === true && last !== '') io.err('\r\x1b[K')
    },
  }
}

/** The load balancer above a resource: its own, or that of what it belongs to. */
export async function loadBalancerOf(
  session: Session,
  view: View,
  parent?: { readonly kind: Kind; readonly id: string },
): Promise<string | undefined> {
  const own = firstId(view.loadbalancers)
  if (own !== undefined) return own
  const pool = firstId(view.pools)
  if (pool !== undefined) return firstId((await session.show('pool', pool)).loadbalancers)
  if (typeof view.listener_id === 'string')
    return firstId((await session.show('listener', view.listener_id)).loadbalancers)
  if (parent === undefined || KINDS[parent.kind].service !== 'load-balancer') return undefined
  return await loadBalancerOf(session, await session.show(parent.kind, parent.id))
}

function firstId(list: unknown): string | undefined {
  const first: unknown = Array.isArray(list) ? list[0] : undefined
  return isObject(first) && typeof first.id === 'string' ? first.id : undefined
}
