/** The executable: src/main.ts and all it imports, compiled by Bun into one file. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { fetchPackage, findBun } from './install.mjs'
import { capture, Failure, ROOT, runOk, say } from './say.mjs'

export const BINARY = join(ROOT, 'dist/octavia-lite')

/** Name for --target to Bun's target and the npm package with its runtime. */
const TARGETS = {
  x64: { bun: 'bun-linux-x64', runtime: '@oven/bun-linux-x64' },
  arm64: { bun: 'bun-linux-arm64', runtime: '@oven/bun-linux-aarch64' },
  'x64-musl': { bun: 'bun-linux-x64-musl', runtime: '@oven/bun-linux-x64-musl' },
  'arm64-musl': { bun: 'bun-linux-arm64-musl', runtime: '@oven/bun-linux-aarch64-musl' },
}

/** Builds for this machine, or with `--target NAME` for another. Returns the path. */
export async function build(args) {
  const target = parseTarget(args)
  const output = target === undefined ? BINARY : `${BINARY}-${target}`
  say(`building ${output.slice(ROOT.length)}`)
  const folder = join(ROOT, 'dist/.new')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  // Bun embeds the file's name, so the same name gives the same bytes; in a folder of its own it is
  // moved into place whole, under a running program or a failed build.
  const made = join(folder, 'octavia-lite')
  const cross = target === undefined ? [] : await crossFlags(target)
  await runOk(
    [findBun(), 'build', ...flags(), ...cross, 'src/main.ts', '--outfile', made],
    'the build',
  )
  renameSync(made, output)
  rmSync(folder, { recursive: true, force: true })
  say(`built ${output.slice(ROOT.length)}, ${Math.round(statSync(output).size / 1e6)} MB`)
  return output
}

/** Builds for this machine unless what is there is newer than all it is made from. */
export async function buildIfOld() {
  const made = existsSync(BINARY) ? statSync(BINARY).mtimeMs : 0
  const sources = ['src', 'assets', 'packaging/build.mjs', 'package.json', 'package-lock.json']
  if (sources.some((path) => newest(join(ROOT, path)) > made)) await build([])
  return BINARY
}

function parseTarget(args) {
  const [option, name, ...more] = args
  if (option === undefined) return undefined
  if (option !== '--target' || more.length > 0 || !Object.hasOwn(TARGETS, name ?? ''))
    throw new Failure(`usage: npm run build -- [--target ${Object.keys(TARGETS).join('|')}]`)
  return name
}

/**
 * Without the autoload flags the executable would read .env and bunfig.toml of the current folder.
 * Splitting makes imports lazy, bytecode makes the start fast, and the JIT starts late because most
 * processes are agents which idle.
 */
function flags() {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const sha = capture(['git', 'rev-parse', '--short=12', 'HEAD']) ?? 'unknown'
  return [
    '--compile',
    '--minify',
    '--splitting',
    '--bytecode',
    '--format=esm',
    '--sourcemap=linked',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    '--compile-jit-policy=100',
    ...['--external', 'cpu-features', '--external', '*.node'],
    ...['--define', `APP_VERSION=${JSON.stringify(version)}`],
    ...['--define', `GIT_SHA=${JSON.stringify(sha)}`],
  ]
}

/** The runtime of another platform is an npm package, fetched once. */
async function crossFlags(target) {
  const { bun, runtime } = TARGETS[target]
  const folder = join(ROOT, 'dist/.runtime', target)
  if (!isCurrent(folder)) {
    rmSync(folder, { recursive: true, force: true })
    await fetchPackage(`node_modules/${runtime}`, folder)
  }
  return [`--target=${bun}`, `--compile-executable-path=${join(folder, 'bin/bun')}`]
}

/** Whether a fetched runtime is the Bun that builds. */
function isCurrent(folder) {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return false
  return JSON.parse(readFileSync(file, 'utf8')).version === capture([findBun(), '--version'])
}

function newest(path) {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}
