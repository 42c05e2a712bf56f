/** Modules of the kernel: those wanted, and those they depend on. */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { MODULES } from './contents.ts'
import type { Tools } from './tools.ts'

export interface ModulesInput {
  readonly packages: string
  readonly kernel: string
}

/** The paths in what `modprobe --show-depends` prints: dependencies first, as they are loaded. */
export function parseDepends(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? [])
}

/** Files of these modules with all they depend on, in the order of loading, each once. */
export async function listModules(
  tools: Tools,
  { packages, kernel }: ModulesInput,
  names: readonly string[],
): Promise<readonly string[]> {
  const depends = ['modprobe', '--dirname', packages, '--set-version', kernel, '--show-depends']
  const paths = new Set<string>()
  for (const name of names) {
    // Not every architecture has every driver, and some are built into the kernel.
    const text = await tools.run([...depends, name]).catch(() => '')
    for (const path of parseDepends(text)) paths.add(path)
  }
  return [...paths]
}

export async function indexModules(tools: Tools, folder: string, kernel: string): Promise<void> {
  await tools.run(['depmod', '--basedir', folder, kernel])
}

export async function copyModules(tools: Tools, input: ModulesInput, root: string): Promise<void> {
  const { packages, kernel } = input
  for (const path of await listModules(tools, input, Object.values(MODULES).flat())) {
    const to = join(root, 'usr', relative(packages, path))
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(path, to)
  }
  for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    const from = join(packages, 'lib/modules', kernel, name)
    if (existsSync(from)) copyFileSync(from, join(root, 'usr/lib/modules', kernel, name))
  }
  await indexModules(tools, root, kernel)
}
