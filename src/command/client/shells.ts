/** Completion scripts. All shells get the same words: commands, verbs, options, choices. Pure. */
import type { Option } from './option.ts'
import { TABLES } from './tables.ts'
import { CONNECTION_OPTIONS, verbsOf } from './verb.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** Commands without a table, and their first words. */
export const OTHER_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  serve: [],
  agent: [],
  setup: [],
  doctor: ['orphans', 'stuck'],
  image: ['build', 'upload'],
  demo: [],
  config: ['check', 'import', 'sample'],
  policy: ['check', 'list'],
  openapi: [],
  version: [],
  jobs: ['list', 'show'],
  user: ['create', 'delete', 'disable', 'enable', 'grant', 'list', 'revoke', 'set-password'],
  project: ['create', 'delete', 'list'],
  secret: ['delete', 'list', 'rekey', 'show', 'store'],
  completion: SHELLS,
}

/** What can come after the words `line`; `values` are the choices of its options. */
interface Place {
  readonly line: string
  readonly words: readonly string[]
  readonly options: readonly Option[]
}

export function completionScript(shell: Shell): string {
  if (shell === 'fish') return fishScript()
  return shell === 'bash' ? bashScript() : zshScript()
}

function places(): readonly Place[] {
  const commands = [...TABLES.map(({ command }) => command), ...Object.keys(OTHER_COMMANDS)]
  const root: Place = { line: '', words: commands, options: [] }
  const others = Object.entries(OTHER_COMMANDS).map(
    ([line, words]): Place => ({ line, words, options: [] }),
  )
  const verbs = TABLES.flatMap((table) => {
    const all = verbsOf(table).map(({ name }) => name.split(' '))
    const firsts = [...new Set(all.map(([first = '']) => first))]
    const seconds = firsts.flatMap((first) => {
      const words = all.flatMap(([word, next]) => (word === first && next ? [next] : []))
      return words.length === 0 ? [] : [{ line: `${table.command} ${first}`, words, options: [] }]
    })
    const leaves = verbsOf(table).map(
      (verb): Place => ({
        line: `${table.command} ${verb.name}`,
        words: [],
        options: [...verb.options, ...verb.output, ...CONNECTION_OPTIONS],
      }),
    )
    return [{ line: table.command, words: firsts, options: [] }, ...seconds, ...leaves]
  })
  return [root, ...others, ...verbs]
}

function wordsOf({ words, options }: Place): string {
  return [...words, ...options.map(({ flag }) => `--${flag}`), '--help'].join(' ')
}

/**
 * bash: the longest line of words without dashes that is known says what may follow. zsh runs the
 * same function under its bashcompinit.
 */
function bashScript(): string {
  const all = places()
  const words = all.map((place) => `    ${pattern(place.line)}) words='${wordsOf(place)}' ;;`)
  const values = all.flatMap(({ line, options }) =>
    options.flatMap(({ flag, short, choices }) =>
      choices === undefined
        ? []
        : [flag, ...(short === undefined ? [] : [short])].map((name) => {
            const spelled = name.length === 1 ? `-${name}` : `--${name}`
            return `    ${pattern(`${line} ${spelled}`)}) words='${choices.join(' ')}' ;;`
          }),
    ),
  )
  return `# octavia-lite completion bash
_octavia_lite() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local line='' words='' word at
  for ((at = 1; at < COMP_CWORD && at <= 3; at++)); do
    word="\${COMP_WORDS[at]}"
    case "$word" in -*) break ;; esac
    case "$(_octavia_lite_words "\${line:+$line }$word")" in '') break ;; esac
    line="\${line:+$line }$word"
  done
  words="$(_octavia_lite_values "$line $previous")"
  [ -n "$words" ] || words="$(_octavia_lite_words "$line")"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
_octavia_lite_words() {
  local words=''
  case "$1" in
${words.join('\n')}
  esac
  printf '%s' "$words"
}
_octavia_lite_values() {
  local words=''
  case "$1" in
${values.join('\n')}
  esac
  printf '%s' "$words"
}
complete -o default -F _octavia_lite octavia-lite
`
}

const pattern = (line: string): string => `'${line}'`

function zshScript(): string {
  return `#compdef octavia-lite
autoload -U +X bashcompinit && bashcompinit
${bashScript()}`
}

function fishScript(): string {
  const lines = places().flatMap(({ line, words, options }) => {
    const when = `-n '__octavia_lite_at "${line}"'`
    const quoted = (text: string): string => `'${text.replaceAll("'", '')}'`
    return [
      ...(words.length === 0
        ? []
        : [`complete -c octavia-lite -f ${when} -a '${words.join(' ')}'`]),
      ...options.map(({ flag, short, takes, choices, help }) =>
        [
          `complete -c octavia-lite ${when} -l ${flag}`,
          ...(short === undefined ? [] : [`-s ${short}`]),
          ...(takes === 'nothing' ? [] : ['-r']),
          ...(choices === undefined ? [] : [`-f -a '${choices.join(' ')}'`]),
          `-d ${quoted(help)}`,
        ].join(' '),
      ),
    ]
  })
  return `# octavia-lite completion fish
function __octavia_lite_at
    set -l words (string match -v -- '-*' (commandline -opc)[2..])
    set -l depth (count (string split -n ' ' -- $argv[1]))
    set -l head (string join ' ' -- $words[1..$depth])
    test "$argv[1]" = '' && set head '' && set depth 0
    test "$head" = "$argv[1]"; or return 1
    contains -- "$argv[1]" ${leaves()
      .map((line) => `'${line}'`)
      .join(' ')}; and return 0
    test (count $words) -eq $depth
end
${lines.join('\n')}
`
}

/** The lines after which only options and names come. */
function leaves(): readonly string[] {
  return places()
    .filter(({ words, options }) => words.length === 0 && options.length > 0)
    .map(({ line }) => line)
}
