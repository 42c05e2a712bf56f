/**
 * A row of the traffic matrix: what a feature needs of a load balancer, and requests through its
 * VIP that show it. All rows of one address family share one load balancer, made in one request.
 */
import type { OctaviaClient } from '../../../src/command/demo/client.ts'
import type { Place } from './place.ts'

export type Family = 'IPv4' | 'IPv6'

export type Wish = Readonly<Record<string, unknown>>

export interface MatrixRow {
  /** Numbers of upstream's features; see test/conformance/rows.md. */
  readonly features: readonly number[]
  readonly shows: string
  /** Listeners as a create request takes them; names and ports are filled in. */
  readonly listeners?: (place: Place) => readonly Wish[]
  /** Requests and what they must show. Throws otherwise. */
  readonly check?: (run: Run) => Promise<void>
  /** Why no request can show it here; instead of `check`. */
  readonly impossible?: string
  /** Families in which there is nothing to show, and why. */
  readonly not?: Partial<Readonly<Record<Family, string>>>
}

/** One row on its way. */
export interface Run {
  readonly place: Place
  readonly client: OctaviaClient
  readonly load_balancer_id: string
  readonly vip: string
  /** Of the other family. */
  readonly additional_vip: string
  /** What the log server for connections has got so far. */
  readonly logged: readonly string[]
  /** The listeners of this row, in order. */
  readonly listeners: readonly ListenerMade[]
  /** The folder of the controller: data and logs. */
  readonly folder: string
}

export interface ListenerMade {
  readonly id: string
  readonly port: number
  /** `http://VIP:port`. */
  readonly url: string
  readonly default_pool_id: string
}

/** Why a row cannot be shown in a family; undefined when it can. */
export function impossibleIn(row: MatrixRow, family: Family): string | undefined {
  return row.impossible ?? row.not?.[family]
}

export function only(run: Run, at = 0): ListenerMade {
  const listener = run.listeners[at]
  if (listener === undefined) throw new Error(`the row has no listener ${at}`)
  return listener
}
