/**
 * One unix socket of the driver agent: a connection brings one request and takes one answer.
 * Bounded in everything: how long a request is and how long it takes, how many are served at a
 * time, how many wait. Source: octavia/api/drivers/driver_agent/driver_listener.py.
 */
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Json } from '../../model/field.ts'
import type { Clock } from '../../system/clock.ts'
import { makeFolder } from '../../system/files.ts'
import type { Log } from '../../system/log.ts'
import { refuse } from './answer.ts'
import { createFrameReader, type Frame, renderFrame } from './frame.ts'

export interface SocketOptions {
  readonly path: string
  /** For receiving the request, and again for the answer to be taken. */
  readonly request_timeout_ms: number
  /** Requests at a time; as many more wait, and all others are turned away. */
  readonly concurrency: number
  /** From this share of `concurrency` on it is worth a warning. */
  readonly warning_share: number
}

export interface SocketDeps {
  readonly clock: Clock
  readonly log: Log
}

export interface AgentSocket {
  /** Resolves when no request is served any more and the file is gone. */
  stop(): Promise<void>
}

/** Owner and group: whoever may write to it can set statuses. */
const SOCKET_MODE = 0o660
const FOLDER_MODE = 0o750
/** sun_path without its final zero. */
const PATH_BYTES_MAX = 107

/** Throws an Error with a sentence when the socket cannot be opened. */
export async function openAgentSocket(
  deps: SocketDeps,
  options: SocketOptions,
  answer: (request: Json) => Promise<unknown>,
): Promise<AgentSocket> {
  const { path } = options
  if (Buffer.byteLength(path) > PATH_BYTES_MAX)
    throw new Error(`a path of a socket has at most ${PATH_BYTES_MAX} bytes`)
  makeFolder(dirname(path), FOLDER_MODE)
  await removeStale(path)
  const receiving = new Set<Socket>()
  const crowd = createCrowd(deps.log, options, async (socket) => {
    receiving.add(socket)
    const request = await limited(deps.clock, options, socket, receive(socket))
    receiving.delete(socket)
    if (request.state === 'incomplete') return
    const body = await answerOf(deps.log, request, answer)
    await limited(deps.clock, options, socket, send(socket, renderFrame(body)))
  })
  // Half open: who sends and shuts his side down still wants the answer.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, crowd.enter)
  await listen(server, path)
  chmodSync(path, SOCKET_MODE)
  return {
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      const left = crowd.close()
      // Who is still sending is not waited for; who was heard gets the answer.
      for (const socket of receiving) socket.destroy()
      await left
      await closed
      rmSync(path, { force: true })
    },
  }
}

async function answerOf(
  log: Log,
  request: Exclude<Frame, { state: 'incomplete' }>,
  answer: (request: Json) => Promise<unknown>,
): Promise<unknown> {
  if (request.state === 'malformed') return refuse(request.problem)
  try {
    return await answer(request.body)
  } catch (error) {
    log.error('a request of a provider driver failed', { error })
    return refuse('the request failed; the log says why')
  }
}

/** Connections that are served, and those that wait for one of them to end. */
function createCrowd(
  log: Log,
  { path, concurrency, warning_share }: SocketOptions,
  serve: (socket: Socket) => Promise<void>,
) {
  const waiting: Socket[] = []
  const served = new Set<Promise<void>>()
  const run = (socket: Socket): void => {
    const turn = serve(socket).finally(() => {
      socket.destroy()
      served.delete(turn)
      const next = waiting.shift()
      if (next !== undefined) run(next)
    })
    served.add(turn)
    if (served.size >= concurrency * warning_share)
      log.warning('many requests of provider drivers', { path, served: served.size })
  }
  return {
    enter: (socket: Socket): void => {
      // What is wrong with a connection is seen by its end.
      socket.on('error', () => socket.destroy())
      if (served.size < concurrency) run(socket)
      else if (waiting.length < concurrency) waiting.push(socket)
      else {
        log.warning('a provider driver is turned away', { path, served: served.size })
        socket.destroy()
      }
    },
    /** Turns away who waits; resolves when the others have gone. */
    close: async (): Promise<void> => {
      for (const socket of waiting.splice(0)) socket.destroy()
      await Promise.all(served)
    },
  }
}

/** `work` ends with its connection; when the time is over, that is ended. */
async function limited<T>(
  clock: Clock,
  { request_timeout_ms }: SocketOptions,
  socket: Socket,
  work: Promise<T>,
): Promise<T> {
  const done = new AbortController()
  clock.sleep(request_timeout_ms, done.signal).then(
    () => socket.destroy(),
    () => {},
  )
  try {
    return await work
  } finally {
    done.abort()
  }
}

/** `incomplete` when the connection ends before the request does. */
function receive(socket: Socket): Promise<Frame> {
  return new Promise((resolve) => {
    const read = createFrameReader()
    const settle = (frame: Frame): void => {
      socket.off('data', take)
      socket.off('end', gone)
      socket.off('close', gone)
      resolve(frame)
    }
    const take = (chunk: Buffer): void => {
      const frame = read(chunk)
      if (frame.state !== 'incomplete') settle(frame)
    }
    const gone = (): void => settle({ state: 'incomplete' })
    if (socket.destroyed) return gone()
    socket.on('end', gone)
    socket.on('close', gone)
    socket.on('data', take)
    socket.resume()
  })
}

/** Resolves when the other side has closed, so that nothing is lost that is under way. */
function send(socket: Socket, frame: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve()
    socket.once('close', () => resolve())
    // Whatever follows the request is thrown away.
    socket.resume()
    socket.end(frame)
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** A socket file which nobody listens to any more is in the way; anything else stays. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Error('there is a file of that name which is no socket')
  if (await isListenedTo(path)) throw new Error('another process listens there')
  rmSync(path, { force: true })
}

function isListenedTo(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}
