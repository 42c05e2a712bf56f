/** Debian's Python with its OpenStack clients, as a program which answers line by line. */

/** Not whichever `python3` is first: Debian's packages belong to this one. */
const PYTHON = '/usr/bin/python3'

export interface Python<Question, Answer> {
  ask(question: Question): Promise<Answer>
  stop(): Promise<void>
}

/** Why these modules cannot be used here; undefined when they can. */
export function pythonMissing(
  modules: readonly string[],
  python: string = PYTHON,
): string | undefined {
  if (Bun.which(python) === null) return `needs ${python}`
  const { exitCode } = Bun.spawnSync([python, '-c', `import ${modules.join(', ')}`])
  return exitCode === 0 ? undefined : `needs the Python modules ${modules.join(', ')}`
}

/**
 * JSON goes in and comes out, a line each. Questions are asked one after the other. `env` holds the
 * login.
 */
export function createPython<Question, Answer>(
  script: string,
  env: Readonly<Record<string, string>>,
  python: string = PYTHON,
): Python<Question, Answer> {
  const child = Bun.spawn([python, script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // No login of whoever runs the tests.
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env },
  })
  const lines = linesOf(child.stdout)
  return {
    ask: async (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      await child.stdin.flush()
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`${script} ended with ${await child.exited}`)
      return JSON.parse(value) as Answer
    },
    stop: async () => {
      child.stdin.end()
      await child.exited
    },
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
