/**
 * Certificates and keys of load balancers, in memory only: in a file system that is never on a
 * disk. It outlives the agent, and not a boot of the amphora: the controller sends them again.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, readTextIfExists, SECRET_MODE, writeFileAtomic } from '../system/files.ts'
import type { Processes } from '../system/process.ts'
import type { Paths } from './paths.ts'

/** By statfs(2): tmpfs and ramfs. */
const MEMORY_TYPES: readonly number[] = [0x0102_1994, 0x8584_58f6]
/** A hundred certificates with their chains take one megabyte. */
const MOUNT_OPTIONS = 'size=64m,mode=0700,nosuid,nodev,noexec'

export interface CertificateDeps {
  readonly processes: Processes
  readonly paths: Paths
}

export class CertificateStore {
  readonly #deps: CertificateDeps
  constructor(deps: CertificateDeps) {
    this.#deps = deps
  }

  /** Returns whether that is a new content. Throws where there is no memory for it. */
  async write(lb_id: string, name: string, text: string): Promise<boolean> {
    await this.#ensureMemory()
    const folder = this.#deps.paths.certificates(lb_id)
    makeFolder(folder, 0o700)
    if (readTextIfExists(join(folder, name)) === text) return false
    writeFileAtomic(join(folder, name), text, SECRET_MODE)
    return true
  }

  read(lb_id: string, name: string): Uint8Array | undefined {
    const file = join(this.#deps.paths.certificates(lb_id), name)
    return existsSync(file) ? readFileSync(file) : undefined
  }

  delete(lb_id: string, name: string): void {
    rmSync(join(this.#deps.paths.certificates(lb_id), name), { force: true })
  }

  /** Removes what this configuration does not name, itself or by a list. */
  prune(lb_id: string, config: string): void {
    const folder = this.#deps.paths.certificates(lb_id)
    if (!existsSync(folder)) return
    const used = usedFiles(config, folder, (name) => readTextIfExists(join(folder, name)))
    for (const name of readdirSync(folder)) if (!used.has(name)) this.delete(lb_id, name)
  }

  async #ensureMemory(): Promise<void> {
    const { processes, paths } = this.#deps
    const root = paths.allCertificates
    makeFolder(root, 0o700)
    if (MEMORY_TYPES.includes(statfsSync(root).type)) return
    let said = ''
    // Older kernels do not know `noswap`.
    for (const options of [`${MOUNT_OPTIONS},noswap`, MOUNT_OPTIONS]) {
      const argv = ['mount', '-t', 'tmpfs', '-o', options, 'octavia-certs', root]
      const { code, stderr } = await processes.run(argv)
      if (code === 0) return
      said = stderr.trim()
    }
    throw new Error(`no file system in memory can be mounted for certificates: ${said}`)
  }
}

/** Names in `folder` that a configuration refers to; lists of certificates refer to more. */
export function usedFiles(
  config: string,
  folder: string,
  read: (name: string) => string | undefined,
): ReadonlySet<string> {
  const prefix = `${folder}/`
  const named = (text: string): string[] =>
    text
      .split(/\s+/)
      .flatMap((word) => (word.startsWith(prefix) ? [word.slice(prefix.length)] : []))
  const lists = [...config.matchAll(/ crt-list (\S+)/g)].flatMap(([, path = '']) => named(path))
  return new Set([...named(config), ...lists.flatMap((list) => named(read(list) ?? ''))])
}

/**
 * The configuration without the listeners whose files are not there, after a boot for example, so
 * that all others are served. undefined where nothing is missing, or nothing would be left.
 */
export function withoutMissing(
  config: string,
  folder: string,
  read: (name: string) => string | undefined,
): string | undefined {
  const sections = config.split(/^(?=\S)/m)
  const isWhole = (section: string): boolean =>
    [...usedFiles(section, folder, read)].every((name) => read(name) !== undefined)
  const broken = new Set(sections.filter((section) => !isWhole(section)).map(listenerOf))
  const left = sections.filter((section) => !broken.has(listenerOf(section) ?? ''))
  if (broken.size === 0 || !left.some((section) => section.startsWith('frontend ')))
    return undefined
  return left.join('')
}

/** Whose section it is: `frontend <listener>` and `backend <pool>:<listener>`. */
function listenerOf(section: string): string | undefined {
  const [, frontend, backend] = /^(?:frontend (\S+)|backend [^\s:]+:(\S+))/.exec(section) ?? []
  return frontend ?? backend
}
