/**
 * The architecture as a table, and rules of style a compiler does not know. To change the
 * architecture is to change LAYERS, in a commit that says why.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import {
  blankText,
  codeLength,
  findCycle,
  findFunctions,
  listFiles,
  reachable,
  readSource,
  type Source,
} from './tidy/scan.ts'

const ROOT = new URL('..', import.meta.url).pathname

/** A folder of src imports itself and folders above it in this list. */
const LAYERS = [
  'system',
  'model',
  'config',
  'contract',
  'dataplane',
  'policy',
  'store',
  'driver',
  'identity',
  'secret',
  'flow',
  'worker',
  'provider',
  'operation',
  'api',
  'health',
  'housekeeping',
  'agent',
  'image',
  'command',
] as const
type Layer = (typeof LAYERS)[number]

/** Fewer than the folders above: the only ones a folder may import besides itself. */
const ONLY: Partial<Record<Layer, readonly Layer[]>> = {
  agent: ['system', 'model', 'config', 'contract', 'dataplane'],
  image: ['system'],
}

/**
 * Above, and nevertheless not to be imported: values go in and out, rows and jobs are between them.
 */
const NEVER: Partial<Record<Layer, readonly Layer[]>> = {
  driver: ['store'],
  health: ['api'],
  housekeeping: ['api', 'health'],
  agent: ['api', 'health', 'housekeeping'],
}

/** No I/O: of system these may be imported, and types of anything. */
const PURE: readonly Layer[] = ['model', 'contract', 'dataplane', 'policy']
const PURE_SYSTEM = ['assert.ts', 'ids.ts']
const PURE_NODE = ['node:crypto', 'node:zlib']

/** Longer than 350 lines, and why: one table or one algorithm. None is longer than 500. */
const LONG_FILES: Readonly<Record<string, string>> = {}

/** What only tests reach, and why it is in src nevertheless. */
const FOR_TESTS: Readonly<Record<string, string>> = {
  'src/flow/boundaries.ts': 'crash tests stop the engine at each of these points',
}

const LINES_MAX = 350
const LINES_MAX_EVER = 500
const FUNCTION_LINES_MAX = 70
const COLUMNS_MAX = 100
const NAMES_THAT_SAY_NOTHING = /^(utils?|helpers?|common|managers?|misc)$/

const sources = listFiles(ROOT, 'src', '.ts').map((path) => readSource(ROOT, path))
const tests = listFiles(ROOT, 'test', '.ts').map((path) => readSource(ROOT, path))
const everything = [...sources, ...tests]

function layerOf(path: string): Layer | undefined {
  return LAYERS.find((layer) => path.startsWith(`src/${layer}/`))
}

/** `local` for src/driver/local/network.ts, null for a seam. */
function driverOf(path: string): string | null {
  return /^src\/driver\/([^/]+)\//.exec(path)?.[1] ?? null
}

/** Every file of src with each file of src it imports. */
function eachImport(
  visit: (from: Source, target: string, typeOnly: boolean) => string[],
): string[] {
  return sources.flatMap((from) =>
    from.imports.flatMap(({ target, typeOnly }) =>
      target?.startsWith('src/') ? visit(from, target, typeOnly) : [],
    ),
  )
}

function importMap(files: readonly Source[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    files.map(({ path, imports }) => [
      path,
      imports.flatMap(({ target }) => (target === null ? [] : [target])),
    ]),
  )
}

test('the source is there', () => {
  expect(sources.length).toBeGreaterThan(100)
  expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(300)
})

test('every file of src has a place in the layers', () => {
  const homeless = sources.filter(({ path }) => path !== 'src/main.ts' && !layerOf(path))
  expect(homeless.map(({ path }) => path)).toEqual([])
})

test('imports point up the list of layers', () => {
  const wrong = eachImport(({ path }, target) => {
    const from = layerOf(path)
    const to = layerOf(target)
    if (from === undefined) return to === 'command' ? [] : [`${path} imports ${target}`]
    if (from === to) return []
    const allowed = ONLY[from] ?? LAYERS.slice(0, LAYERS.indexOf(from))
    const right = to !== undefined && allowed.includes(to) && !NEVER[from]?.includes(to)
    return right ? [] : [`${path} imports ${target}`]
  })
  expect(wrong).toEqual([])
})

test('only command knows the implementations of drivers', () => {
  const wrong = eachImport(({ path }, target) => {
    const driver = driverOf(target)
    const right = driver === null || driver === driverOf(path) || layerOf(path) === 'command'
    return right ? [] : [`${path} imports ${target}`]
  })
  expect(wrong).toEqual([])
})

test('model, contract, dataplane and policy do no I/O', () => {
  const pure = sources.filter(({ path }) => PURE.some((layer) => layer === layerOf(path)))
  const wrong = pure.flatMap(({ path, imports, text }) => [
    ...imports
      .filter(({ specifier, target, typeOnly }) => {
        if (typeOnly) return false
        if (target === null) return specifier.startsWith('node:') && !PURE_NODE.includes(specifier)
        return layerOf(target) === 'system' && !PURE_SYSTEM.includes(basename(target))
      })
      .map(({ specifier }) => `${path} imports ${specifier}`),
    ...[
      ...blankText(text).matchAll(
        /\b(?:process|Bun)\.(?!CryptoHasher|deepEquals|inflateSync|YAML)\w+|(?<![.\w])fetch\(/g,
      ),
    ].map(([call]) => `${path} uses ${call}`),
  ])
  expect(wrong).toEqual([])
})

test('imports of our own files name the file, and it exists', () => {
  const known = new Set([...listFiles(ROOT, 'src'), ...listFiles(ROOT, 'test')])
  const wrong = everything.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => target !== null && /^(src|test)\//.test(target) && !known.has(target))
      .map(({ specifier }) => `${path} imports ${specifier}`),
  )
  expect(wrong).toEqual([])
})

test('no imports go in circles', () => {
  expect(findCycle(importMap(sources))).toBeUndefined()
})

test('nothing in src is dead', () => {
  const alive = reachable(importMap(sources), ['src/main.ts', ...Object.keys(FOR_TESTS)])
  expect(listFiles(ROOT, 'src').filter((path) => !alive.has(path))).toEqual([])
})

test('nothing in test is dead', () => {
  const roots = tests.filter(({ path }) =>
    /\.test\.ts$|^test\/(bench|fuzz|conformance)\/main\.ts$/.test(path),
  )
  const alive = reachable(
    importMap(everything),
    roots.map(({ path }) => path),
  )
  // A program which a test starts is named in that test.
  const named = ({ path }: Source): boolean =>
    tests.some((other) => other.path !== path && other.text.includes(basename(path)))
  expect(
    tests.filter((file) => !alive.has(file.path) && !named(file)).map(({ path }) => path),
  ).toEqual([])
})

test('only command reads the environment', () => {
  const wrong = sources.filter(
    ({ path, text }) => layerOf(path) !== 'command' && /\bprocess\.env\b|\bBun\.env\b/.test(text),
  )
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('names are in kebab-case, say something, and are at most three folders deep', () => {
  const wrong = everything.filter(({ path }) => {
    const [file = '', ...folders] = path.split('/').reverse()
    const parts = [...folders, file.replace(/(\.\w+)*\.ts$/, '')]
    const shaped = parts.every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))
    const empty = file === 'index.ts' || parts.some((part) => NAMES_THAT_SAY_NOTHING.test(part))
    return !shaped || empty || (path.startsWith('src/') && folders.length > 3)
  })
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('files are short, or say why not', () => {
  const long = sources.filter(
    ({ path, lines }) => lines.length - 1 > (LONG_FILES[path] ? LINES_MAX_EVER : LINES_MAX),
  )
  expect(long.map(({ path, lines }) => `${path}: ${lines.length - 1} lines`)).toEqual([])
  const stale = Object.keys(LONG_FILES).filter(
    (path) => (sources.find((source) => source.path === path)?.lines.length ?? 0) - 1 <= LINES_MAX,
  )
  expect(stale).toEqual([])
})

test('functions fit a screen', () => {
  const long = sources.flatMap(({ path, text }) =>
    findFunctions(text)
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
      .map(({ line, lines }) => `${path}:${line}: ${lines} lines`),
  )
  expect(long).toEqual([])
})

test('lines fit a screen', () => {
  const long = everything.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) =>
      codeLength(line) > COLUMNS_MAX ? [`${path}:${index + 1}`] : [],
    ),
  )
  expect(long).toEqual([])
})

test('nothing is left to do', () => {
  const words = new RegExp(
    `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`,
  )
  expect(everything.filter(({ text }) => words.test(text)).map(({ path }) => path)).toEqual([])
})

test('the README maps the folders of src', () => {
  const readme = readFileSync(`${ROOT}README.md`, 'utf8')
  const mapped = [...readme.matchAll(/^\| `([a-z]+)\/` \|/gm)].map(([, folder]) => folder)
  const folders = new Set(
    sources.map(({ path }) => path.split('/')[1]).filter((name) => name !== 'main.ts'),
  )
  expect(mapped).toEqual(LAYERS.filter((layer) => folders.has(layer)))
})

test('package-lock.json names no registry', () => {
  const lock = readFileSync(`${ROOT}package-lock.json`, 'utf8')
  expect(lock).not.toMatch(/"resolved"|registry\./)
})
