/**
 * From the configuration that runs to the next one without a new process, where haproxy's runtime
 * API can: servers that come, go, change weight, are disabled or enabled. Everything else asks for
 * a reload. It works on the text, which is what both the process and the disk have. Pure.
 */

/** Commands for the worker, in order, or the word that they would not do. */
export type RuntimePlan =
  | { readonly kind: 'commands'; readonly commands: readonly RuntimeCommand[] }
  | { readonly kind: 'reload' }

export interface RuntimeCommand {
  readonly text: string
  /**
   * `done`: anything but the usual answer means that the plan failed. `when-idle`: it may have to
   * be repeated until the server has no connection.
   */
  readonly expects: 'done' | 'when-idle'
}

const RELOAD: RuntimePlan = { kind: 'reload' }
/** Thousands of commands take longer than a reload. */
const COMMANDS_MAX = 2_000

interface Parsed {
  /** All lines but those of servers. */
  readonly frame: string
  /** By backend, by name. */
  readonly backends: ReadonlyMap<string, ReadonlyMap<string, Server>>
}

export interface Server {
  readonly weight: number
  readonly disabled: boolean
  readonly checked: boolean
  /** Without weight and `disabled`. */
  readonly options: string
  /** All that follows the name. */
  readonly all: string
}

export function planRuntime(running: string, next: string): RuntimePlan {
  const [from, to] = [parse(running), parse(next)]
  if (from === undefined || to === undefined || from.frame !== to.frame) return RELOAD
  const commands: RuntimeCommand[] = []
  for (const [backend, servers] of to.backends) {
    const before = from.backends.get(backend) ?? new Map<string, Server>()
    for (const [name, server] of servers) {
      const planned = planServer(`${backend}/${name}`, before.get(name), server)
      if (planned === undefined) return RELOAD
      commands.push(...planned)
    }
    // Last, so that there is always somebody to serve.
    for (const name of before.keys())
      if (!servers.has(name)) commands.push(...removal(`${backend}/${name}`))
  }
  return commands.length > COMMANDS_MAX ? RELOAD : { kind: 'commands', commands }
}

function planServer(
  path: string,
  before: Server | undefined,
  server: Server,
): readonly RuntimeCommand[] | undefined {
  if (before === undefined) return addition(path, server)
  if (before.options !== server.options) return undefined
  const commands: RuntimeCommand[] = []
  if (before.weight !== server.weight)
    commands.push(done(`set server ${path} weight ${server.weight}`))
  if (before.disabled !== server.disabled)
    commands.push(done(`set server ${path} state ${server.disabled ? 'maint' : 'ready'}`))
  return commands
}

/** A new server begins in maintenance, without checks. */
function addition(path: string, server: Server): readonly RuntimeCommand[] {
  return [
    done(`add server ${path} ${server.all}`),
    ...(server.checked ? [done(`enable health ${path}`)] : []),
    ...(server.disabled ? [] : [done(`set server ${path} state ready`)]),
  ]
}

function removal(path: string): readonly RuntimeCommand[] {
  return [
    done(`set server ${path} state maint`),
    { text: `del server ${path}`, expects: 'when-idle' },
  ]
}

function done(text: string): RuntimeCommand {
  return { text, expects: 'done' }
}

/** What the worker answers to a command that it has carried out. */
export function isDone(answer: string): boolean {
  const text = answer.trim()
  return text === '' || /^(New server registered|Server deleted)\.$/.test(text)
}

/** It has connections that are not over; soon it will have none. */
export function isBusy(answer: string): boolean {
  return /still has (connections|active)/i.test(answer)
}

/** The servers of a configuration, by `backend/name`. */
export function serversOf(text: string): ReadonlyMap<string, Server> {
  const { backends } = parse(text) ?? { backends: new Map<string, ReadonlyMap<string, Server>>() }
  const pairs = [...backends].flatMap(([backend, servers]) =>
    [...servers].map(([name, server]) => [`${backend}/${name}`, server] as const),
  )
  return new Map(pairs)
}

/** undefined for what is not ours: a name that is there twice. */
function parse(text: string): Parsed | undefined {
  const frame: string[] = []
  const backends = new Map<string, Map<string, Server>>()
  let servers: Map<string, Server> | undefined
  for (const line of text.split('\n')) {
    const head = /^(\S+)(?: (\S+))?/.exec(line)
    if (head !== null) {
      servers = head[1] === 'backend' ? new Map() : undefined
      if (servers !== undefined) backends.set(head[2] ?? '', servers)
    }
    const [, name = '', all = ''] = /^\s+server (\S+) (.*)$/.exec(line) ?? []
    // The server behind metrics is none of the members, which all have a weight.
    const server = parseServer(all)
    if (server === undefined || servers === undefined) frame.push(line)
    else if (servers.has(name)) return undefined
    else servers.set(name, server)
  }
  return { frame: frame.join('\n'), backends }
}

function parseServer(all: string): Server | undefined {
  const words = all.split(' ')
  const weight = words.indexOf('weight')
  if (weight < 0) return undefined
  const rest = words.filter((word, at) => at !== weight && at !== weight + 1 && word !== 'disabled')
  return {
    weight: Number(words[weight + 1]),
    disabled: words.includes('disabled'),
    checked: words.includes('check'),
    options: rest.join(' '),
    all,
  }
}

/**
 * The answer to `show servers state`, as it would be had haproxy been started with this
 * configuration: what commands set at runtime stands as the configuration's own, so that the next
 * process takes both from the next configuration. Servers of no configuration are left out.
 */
export function settledState(state: string, running: string): string {
  const servers = serversOf(running)
  const lines = state.split('\n').flatMap((line) => {
    const cells = line.split(' ')
    const [, backend, , name] = cells
    if (line.startsWith('#') || cells.length < ADMIN_STATE + 3) return [line]
    const server = servers.get(`${backend}/${name}`)
    if (server === undefined) return []
    cells[ADMIN_STATE] = server.disabled ? '5' : '0'
    cells[ADMIN_STATE + 1] = String(server.weight)
    cells[ADMIN_STATE + 2] = String(server.weight)
    return [cells.join(' ')]
  })
  return lines.join('\n')
}

/** `backend/server` of every server in the answer to `show servers state`. */
export function namesIn(state: string): readonly string[] {
  return state
    .split('\n')
    .map((line) => line.split(' '))
    .filter((cells) => cells[0] !== '#' && cells.length > ADMIN_STATE)
    .map(([, backend, , name]) => `${backend}/${name}`)
}

/** Which column it is; the weight now and the configured weight follow. */
const ADMIN_STATE = 6
