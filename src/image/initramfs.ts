/** The small file system which the boot loader hands to the kernel: it only finds the root. */
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import script from '../../assets/image/initramfs.sh' with { type: 'text' }
import { EARLY_MODULES } from './contents.ts'
import { listModules, type ModulesInput } from './modules.ts'
import { makeFolders, type Tools } from './tools.ts'

/** Writes `output`, made from `folder`, which is made too. */
export async function makeInitramfs(
  tools: Tools,
  input: ModulesInput,
  signature: string,
  folder: string,
  output: string,
): Promise<void> {
  makeFolders(folder, ['bin', 'dev', 'proc', 'sys', 'root', 'modules'])
  copyFileSync(join(input.packages, 'bin/busybox'), join(folder, 'bin/busybox'))
  writeFileSync(join(folder, 'init'), script.replace('@SIGNATURE@', signature))
  chmodSync(join(folder, 'init'), 0o755)
  const modules = await listModules(tools, input, EARLY_MODULES)
  for (const path of modules) copyFileSync(path, join(folder, 'modules', basename(path)))
  writeFileSync(
    join(folder, 'modules.order'),
    modules.map((path) => `${basename(path)}\n`).join(''),
  )
  // cpio writes times and owners as they are, and files in the order it is told.
  const archive = [
    'find . -exec touch --no-dereference --date=@$SOURCE_DATE_EPOCH {} +',
    'find . | sort | cpio --create --format=newc --owner=0:0 --reproducible --quiet',
  ].join(' && ')
  await tools.run([
    'sh',
    '-c',
    `set -e; cd "$1"; { ${archive}; } | zstd -19 -q -f -o "$2"`,
    'sh',
    folder,
    output,
  ])
}
