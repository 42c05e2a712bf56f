/** Questions to a running haproxy over its sockets. */
const ANSWER_MAX_BYTES = 32 << 20
const TIMEOUT_MS = 5_000

type Handlers = Bun.SocketHandler<undefined>

/**
 * Sends one command and returns everything up to the end of the connection; throws without an
 * answer.
 */
export function askHaproxy(
  socketPath: string,
  command: string,
  timeout_ms = TIMEOUT_MS,
): Promise<string> {
  const connect = (socket: Handlers) => Bun.connect({ unix: socketPath, socket })
  return collectAnswer(socketPath, `${command}\n`, connect, timeout_ms)
}

/** The same over any connection; `name` says in errors who was asked. */
export async function collectAnswer(
  name: string,
  request: string,
  connect: (socket: Handlers) => Promise<Bun.Socket<undefined>>,
  timeout_ms = TIMEOUT_MS,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const parts: Buffer[] = []
  let size = 0
  const connecting = connect({
    open: (socket) => {
      socket.write(request)
    },
    data: (socket, data) => {
      size += data.length
      if (size > ANSWER_MAX_BYTES) {
        reject(new Error(`${name}: the answer is too long`))
        socket.end()
        return
      }
      // The buffer is Bun's and will be used again.
      parts.push(Buffer.from(data))
    },
    close: () => resolve(Buffer.concat(parts).toString('utf8')),
    error: (_socket, error) => reject(error),
  })
  const timer = setTimeout(() => reject(new Error(`${name}: no answer`)), timeout_ms)
  try {
    connecting.catch(reject)
    return await promise
  } finally {
    clearTimeout(timer)
    // Also when the timer was first; an ended socket is not harmed by it.
    connecting.then((socket) => socket.terminate()).catch(() => {})
  }
}

export interface MasterState {
  readonly reloads: number
  /** Reloads since the last good one. */
  readonly failed: number
}

/** Reads what the master says of itself in `show proc`; undefined if it says nothing. */
export function parseMaster(text: string): MasterState | undefined {
  if (text.includes('<relative PID>')) return parseOldMaster(text)
  const found = /^\d+\s+master\s+(\d+)(?:\s+\[failed: (\d+)\])?/m.exec(text)
  if (found === null) return undefined
  return { reloads: Number(found[1]), failed: Number(found[2] ?? 0) }
}

/** Before 2.5: with a column more, and where a reload has failed only old workers are there. */
function parseOldMaster(text: string): MasterState | undefined {
  const found = /^\d+\s+master\s+\d+\s+(\d+)/m.exec(text)
  if (found === null) return undefined
  const serves = /^# workers\n\d+\s+worker\s/m.test(text)
  return { reloads: Number(found[1]), failed: serves ? 0 : 1 }
}

/** A connection on which nothing is asked; returns how to end it. */
export async function holdHaproxy(socketPath: string): Promise<() => void> {
  const socket = await Bun.connect({ unix: socketPath, socket: { data: () => {} } })
  return () => {
    socket.terminate()
  }
}
