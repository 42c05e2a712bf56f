/**
 * What tidy.test.ts needs to know about a source file. Reads text, not a syntax tree: the formatter
 * has made the text regular (single quotes, a closing line indented like its opening one).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

export interface Import {
  /** As written: `../system/log.ts`, `node:fs`, `elysia`. */
  readonly specifier: string
  /** Path from the root of the repository, for a relative one. */
  readonly target: string | null
  readonly typeOnly: boolean
}

export interface Source {
  /** Path from the root of the repository. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
  readonly imports: readonly Import[]
}

/** All files below `folder` whose name ends with `ending`. */
export function listFiles(root: string, folder: string, ending = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      return entry.isDirectory() ? listFiles(root, path, ending) : [path]
    })
    .filter((path) => path.endsWith(ending))
    .sort()
}

export function readSource(root: string, path: string): Source {
  return sourceOf(path, readFileSync(join(root, path), 'utf8'))
}

export function sourceOf(path: string, text: string): Source {
  return { path, text, lines: text.split('\n'), imports: findImports(path, text) }
}

/** Static, re-exporting and dynamic ones; `import type` and inline `import('...')` types count. */
export function findImports(path: string, text: string): Import[] {
  const code = blankComments(text)
  const inCode = blankText(text)
  const statement =
    /^(?:import|export)\b(?<what>[^'"`;]*?)\bfrom '(?<from>[^']+)'|^import '(?<bare>[^']+)'/gm
  const dynamic = /\bimport\(\s*'(?<from>[^']+)'/g
  return [...code.matchAll(statement), ...code.matchAll(dynamic)]
    .filter(({ index }) => inCode[index] === code[index])
    .map(({ groups = {} }) => {
      const specifier = groups.from ?? groups.bare ?? ''
      const target = specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : null
      return { specifier, target, typeOnly: /^\s+type\b/.test(groups.what ?? '') }
    })
}

const STRING = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/.source
/** A slash divides after a name, a number or a bracket; elsewhere it opens a regular expression. */
const REGEX =
  /(?<=[=(,:?&|![{;]\s*|^\s*|\breturn\s+)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//
    .source
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/.source
const TOKEN = new RegExp(`(?<string>${STRING}|${REGEX})|${COMMENT}`, 'gm')

/** Comments as spaces, so that what they quote is no code. Line numbers stay. */
export function blankComments(text: string): string {
  return text.replace(TOKEN, (found, string?: string) =>
    string === undefined ? blank(found) : found,
  )
}

/** Comments and what is inside strings as spaces: what is left has only braces that matter. */
export function blankText(text: string): string {
  return text.replace(TOKEN, (found, string?: string) =>
    string === undefined
      ? blank(found)
      : found.charAt(0) + blank(found.slice(1, -1)) + found.at(-1),
  )
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}

export interface FunctionSpan {
  /** 1 for the first. */
  readonly line: number
  /** With the lines of its parameters and its end. */
  readonly lines: number
}

const OPENS_BLOCK = /(?:=>\s*[({[]*|\)(?:: .+)? \{)$/
const CONTROL = /^\s*(?:\} )?(?:if|for|while|switch|catch|else|do|try|finally|return|await)\b/
const FUNCTION = /^\s*(?:export )?(?:async )?function\b/
const METHOD = /^\s*(?:(?:static|async|override|get|set) )*[#\w]+(?:<.*>)?\(/

/** Functions of several lines, nested ones too. */
export function findFunctions(text: string): FunctionSpan[] {
  const lines = blankText(text).split('\n')
  const found: FunctionSpan[] = []
  for (const [index, line] of lines.entries()) {
    if (!OPENS_BLOCK.test(line)) continue
    const closesParameters = /^\s*\)/.test(line)
    const start = closesParameters ? openingLine(lines, index) : index
    const head = lines[start] ?? ''
    const arrow = /=>\s*[({[]*$/.test(line)
    const named = FUNCTION.test(head) || (METHOD.test(head) && !CONTROL.test(head))
    if (!arrow && !named) continue
    found.push({ line: start + 1, lines: closingLine(lines, index) - start + 1 })
  }
  return found
}

function indent(line: string): number {
  return line.length - line.trimStart().length
}

/** The last line above with the same indentation: where a list of parameters began. */
function openingLine(lines: readonly string[], index: number): number {
  const depth = indent(lines[index] ?? '')
  for (let at = index - 1; at >= 0; at--) {
    const line = lines[at] ?? ''
    if (line.trim() !== '' && indent(line) <= depth) return at
  }
  return index
}

/** The first line below which is indented no deeper and closes something. */
function closingLine(lines: readonly string[], index: number): number {
  const depth = indent(lines[index] ?? '')
  for (let at = index + 1; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line.trim() !== '' && indent(line) <= depth) return at
  }
  return lines.length - 1
}

/** A line too long only by a string or an address, which cannot be broken, counts without it. */
export function codeLength(line: string): number {
  if (/https?:\/\//.test(line)) return 0
  return line.replace(
    /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`?|\/(?:[^/\\ ]|\\.){20,}\//g,
    '""',
  ).length
}

/** The files on a cycle of imports, in order, or undefined when there is none. */
export function findCycle(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    const at = path.indexOf(file)
    if (at >= 0) return [...path.slice(at), file]
    if (done.has(file)) return undefined
    done.add(file)
    for (const next of imports.get(file) ?? []) {
      const cycle = visit(next, [...path, file])
      if (cycle !== undefined) return cycle
    }
    return undefined
  }
  for (const file of imports.keys()) {
    const cycle = visit(file, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}

/** All files which can be reached from `roots`. */
export function reachable(
  imports: ReadonlyMap<string, readonly string[]>,
  roots: readonly string[],
): ReadonlySet<string> {
  const seen = new Set<string>(roots)
  for (const file of seen) for (const next of imports.get(file) ?? []) seen.add(next)
  return seen
}
