/** Which shared libraries programs need, for any architecture: nothing is executed. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Tools } from './tools.ts'

/** The NEEDED entries in what `readelf --dynamic` prints. */
export function parseNeeded(text: string): readonly string[] {
  return [...text.matchAll(/\(NEEDED\)\s+Shared library: \[([^\]]+)\]/g)].map(
    ([, name]) => name ?? '',
  )
}

/**
 * Paths below `root` of all libraries that these programs need, directly or by another library.
 * Throws when one is in none of the folders.
 */
export async function findLibraries(
  tools: Tools,
  root: string,
  folders: readonly string[],
  programs: readonly string[],
  named: readonly string[],
): Promise<readonly string[]> {
  const found = new Map<string, string>()
  const find = (name: string): string => {
    const path = folders
      .map((folder) => join(folder, name))
      .find((at) => existsSync(join(root, at)))
    if (path === undefined) throw new Error(`no package has the library ${name}`)
    return path
  }
  let next: readonly string[] = [...programs]
  let names: readonly string[] = named
  while (next.length > 0 || names.length > 0) {
    const text =
      next.length === 0
        ? ''
        : await tools.run(['readelf', '--dynamic', ...next.map((at) => join(root, at))])
    const fresh = [...new Set([...names, ...parseNeeded(text)])].filter((name) => !found.has(name))
    for (const name of fresh) found.set(name, find(name))
    next = fresh.map(find)
    names = []
  }
  return [...found.values()].sort()
}
