/** Config drives as Nova makes them: an ISO, or a FAT disk, with the label config-2. */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface DriveContent {
  readonly instance_id: string
  readonly hostname: string
  /** Paths in the guest to text. */
  readonly files: Readonly<Record<string, string>>
  readonly ssh_keys?: readonly string[]
  readonly network_data?: object
  /** Instead of meta_data.json as it should be. */
  readonly broken?: string
}

export function makeIso(path: string, content: DriveContent): void {
  withFolder(content, (folder) =>
    run(['genisoimage', '-quiet', '-J', '-r', '-V', 'config-2', '-o', path, folder]),
  )
}

export function makeFat(path: string, content: DriveContent): void {
  writeFileSync(path, '')
  truncateSync(path, 64 << 20)
  run(['mkfs.fat', '-n', 'config-2', path])
  withFolder(content, (folder) => run(['mcopy', '-s', '-i', path, join(folder, 'openstack'), '::']))
}

function withFolder(content: DriveContent, use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-drive-'))
  try {
    for (const [name, text] of Object.entries(filesOf(content))) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function filesOf(content: DriveContent): Readonly<Record<string, string>> {
  const { instance_id: uuid, hostname, files, ssh_keys = [], network_data, broken } = content
  const entries = Object.entries(files)
  const place = (n: number): string => `/content/${String(n).padStart(4, '0')}`
  const meta = {
    uuid,
    hostname: `${hostname}.novalocal`,
    files: entries.map(([path], n) => ({ path, content_path: place(n) })),
    public_keys: Object.fromEntries(ssh_keys.map((key, n) => [`key${n}`, key])),
  }
  return {
    'openstack/latest/meta_data.json': broken ?? JSON.stringify(meta),
    ...(network_data === undefined
      ? {}
      : { 'openstack/latest/network_data.json': JSON.stringify(network_data) }),
    ...Object.fromEntries(entries.map(([, text], n) => [`openstack${place(n)}`, text])),
  }
}

function run(argv: readonly string[]): void {
  const env = { ...process.env, MTOOLS_SKIP_CHECK: '1' }
  const { exitCode, stderr } = Bun.spawnSync([...argv], { env })
  if (exitCode !== 0) throw new Error(`${argv[0]}: ${stderr.toString()}`)
}
