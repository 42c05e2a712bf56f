/** `octavia-lite config import`: the octavia.conf of a deployment, in our form. */
import { existsSync } from 'node:fs'
import { type Finding, importOslo } from '../config/import.ts'
import { checkConfig, problemText, systemSurroundings } from '../config/load.ts'
import { readTextIfExists, SECRET_MODE, writeFileAtomic } from '../system/files.ts'
import { errorText } from '../system/log.ts'
import { parseArguments } from './arguments.ts'
import { CommandFailure, EXIT, type Exit, type Io } from './io.ts'

/** Exit 1: something needs a decision; what could be taken over is there all the same. */
export function importConfig(args: readonly string[], io: Io): Exit {
  const options = parseArguments(
    args,
    { output: { type: 'string' }, force: { type: 'boolean' }, json: { type: 'boolean' } },
    1,
  )
  const [file] = options.positionals
  if (file === undefined) throw new CommandFailure('say which octavia.conf; see --help', EXIT.usage)
  const output = options.text('output')
  if (output !== undefined && existsSync(output) && !options.flag('force'))
    throw new CommandFailure(`${output} exists; name another file, or add --force`)
  const imported = importOslo(read(file))
  if ('error' in imported) throw new CommandFailure(`${file}: ${imported.error}`)
  const { toml, dropped, problems } = imported
  const checked = checkConfig(toml, systemSurroundings()).problems
  const errors = checked.filter((problem) => problem.severity === 'error')
  const notes = checked.filter((problem) => problem.severity === 'note')
  const ok = problems.length === 0 && errors.length === 0
  // It holds passwords.
  if (output !== undefined) writeFileAtomic(output, toml, SECRET_MODE)
  if (options.flag('json')) {
    const result = { file, output: output ?? null, ok, toml, dropped, problems, errors, notes }
    io.out(
      `${JSON.stringify(output === undefined ? result : { ...result, toml: null }, null, 2)}\n`,
    )
  } else {
    if (output === undefined) io.out(toml)
    tell(io, 'no longer applies:', dropped, file)
    tell(io, 'notes:', notes.map(found), null)
    tell(io, 'needs a decision:', problems, file)
    const target = output ?? 'the configuration'
    tell(io, `${target} cannot be used before this is changed:`, errors.map(found), null)
  }
  return ok ? EXIT.ok : EXIT.failure

  function found(problem: (typeof checked)[number]): Finding {
    const message = problemText(null, problem)
    return { where: problem.where ?? '', line: problem.line, message }
  }
}

function read(file: string): string {
  let text: string | undefined
  try {
    text = readTextIfExists(file)
  } catch (cause) {
    throw new CommandFailure(`${file} cannot be read: ${errorText(cause)}`, EXIT.failure, cause)
  }
  if (text === undefined) throw new CommandFailure(`there is no file ${file}`)
  return text
}

function tell(io: Io, title: string, findings: readonly Finding[], file: string | null): void {
  if (findings.length === 0) return
  const lines = findings.map(({ where, line, message }) =>
    file === null ? `  ${message}\n` : `  ${line ?? '-'}: ${where}: ${message}\n`,
  )
  io.err(`${title}\n${lines.join('')}`)
}
