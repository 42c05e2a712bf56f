/** Getting Debian's packages as files in a folder, without installing anything. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Architecture, PACKAGES, TARGETS } from './contents.ts'
import { type Package, parseArchiveNames } from './manifest.ts'
import type { Tools } from './tools.ts'

export interface Source {
  readonly architecture: Architecture
  readonly suite: string
  /** null: Debian's own, with its updates and security fixes. */
  readonly mirror: string | null
}

/** Extracts the packages of an image, and all they depend on, into `folder`, which is made. */
export async function extractPackages(
  tools: Tools,
  { architecture, suite, mirror }: Source,
  folder: string,
): Promise<readonly Package[]> {
  mkdirSync(folder, { recursive: true })
  const include = [...PACKAGES, TARGETS[architecture].kernel_package].join(',')
  await tools.run([
    'mmdebstrap',
    '--quiet',
    '--variant=extract',
    `--architectures=${architecture}`,
    `--include=${include}`,
    // The archives' names say what was taken.
    '--skip=cleanup/apt/cache,download/empty',
    suite,
    folder,
    ...(mirror === null ? [] : [mirror]),
  ])
  const archives = join(folder, 'var/cache/apt/archives')
  const packages = parseArchiveNames(readdirSync(archives))
  rmSync(archives, { recursive: true })
  return packages
}

/** The version of the one kernel in there. */
export function kernelVersion(folder: string): string {
  const [version] = readdirSync(join(folder, 'lib/modules')).sort().reverse()
  if (version === undefined) throw new Error('the packages hold no kernel')
  return version
}
