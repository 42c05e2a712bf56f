/**
 * The text of a policy file to overrides: YAML as upstream's policy.yaml, JSON as its older ones,
 * or TOML. Strict: a name twice, or a rule that is no rule, is an error which names its line. Pure.
 */
import { isTable } from '../config/option.ts'
import { locateOptions, parseToml } from '../config/toml.ts'
import { type Override, type Overrides, PolicyError } from './compile.ts'

/** `file` tells the format by its ending, and names the file in messages. Throws PolicyError. */
export function parsePolicyFile(file: string, text: string): Overrides {
  const found = file.endsWith('.toml') ? parseTomlRules(file, text) : parseYamlRules(file, text)
  const rules = new Map<string, Override>()
  const problems: string[] = []
  for (const { name, rule, line } of found) {
    const where = `${file}:${line}`
    if (rules.has(name)) problems.push(`${where}: ${name} is there already`)
    // An empty value allows everybody upstream: more often it was forgotten than meant.
    if (typeof rule !== 'string' && !Array.isArray(rule))
      problems.push(`${where}: ${name} takes a rule in quotes`)
    rules.set(name, { rule, where })
  }
  if (problems.length > 0) throw new PolicyError(problems)
  return rules
}

interface Found {
  readonly name: string
  readonly rule: unknown
  readonly line: number
}

function parseTomlRules(file: string, text: string): Found[] {
  const parsed = parseToml(text)
  if ('error' in parsed)
    throw new PolicyError([`${file}:${parsed.error.line ?? 1}: ${parsed.error.message}`])
  const lines = locateOptions(text)
  return Object.entries(parsed.value).map(([name, rule]) => ({
    name,
    rule,
    line: lines.get(name) ?? 1,
  }))
}

/**
 * The parser does not say where an error is, so each entry, which begins at the start of a line, is
 * parsed by itself. JSON is parsed as a whole.
 */
function parseYamlRules(file: string, text: string): Found[] {
  if (/^\s*\{/.test(text)) return yamlEntries(file, text, 1)
  return chunksOf(text).flatMap(({ line, text: chunk }) => yamlEntries(file, chunk, line))
}

function chunksOf(text: string): { readonly line: number; text: string }[] {
  const chunks: { line: number; text: string }[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^(---|\.\.\.)\s*(#.*)?$/.test(line) || /^\s*(#.*)?$/.test(line)) continue
    const last = chunks.at(-1)
    // The items of a list may stand as far left as their key.
    if (last !== undefined && /^(\s|- )/.test(line)) last.text += `\n${line}`
    else chunks.push({ line: index + 1, text: line })
  }
  return chunks
}

function yamlEntries(file: string, text: string, line: number): Found[] {
  let value: unknown
  try {
    value = Bun.YAML.parse(text)
  } catch {
    throw new PolicyError([`${file}:${line}: not YAML of the form "name": "rule"`])
  }
  if (!isTable(value))
    throw new PolicyError([`${file}:${line}: not YAML of the form "name": "rule"`])
  return Object.entries(value).map(([name, rule]) => ({ name, rule, line }))
}
