/** The data directory and its database, as they lie there. */
import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Inspection, inspectStore } from '../../store/inspection.ts'
import { errorText } from '../../system/log.ts'
import { databaseIn } from '../serve/data-folder.ts'
import { Doubtful, type Finding, look, Wrong } from './finding.ts'

/** Folders of the data directory in which every file may be a secret. */
const SECRET_FOLDERS = ['certs', 'certificates']
const SECRET_FILES = /\.key$|\.keys$|\.db(-wal|-shm)?$|^clouds\.yaml$|^setup\.json$/
const FREE_WARN_BYTES = 1 << 30
const FREE_FAIL_BYTES = 100 << 20
const WAL_WARN_BYTES = 1 << 30

export async function checkDataDirectory(path: string): Promise<readonly Finding[]> {
  if (!existsSync(path))
    return [
      await look(path, () => {
        throw new Wrong('it is not there yet; start octavia-lite serve once')
      }),
    ]
  return [
    await look(path, () => modesOf(path)),
    await look('free space', () => freeSpace(path)),
    await look('database', () => database(databaseIn(path))),
  ]
}

/** Folders closed to others protect what is in them, until somebody copies or moves it. */
function modesOf(path: string): string {
  const open = secretPaths(path).filter((each) => (statSync(each).mode & 0o077) !== 0)
  if (open.length === 0) return 'only its owner can read what is secret'
  throw new Wrong(`others can read secrets in it: chmod go= ${open.join(' ')}`)
}

function secretPaths(path: string): string[] {
  try {
    const inside = SECRET_FOLDERS.map((name) => join(path, name)).filter(existsSync)
    const files = readdirSync(path).filter((name) => SECRET_FILES.test(name))
    return [
      path,
      ...inside,
      ...files.map((name) => join(path, name)),
      ...inside.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))),
    ]
  } catch (error) {
    throw new Wrong(`it cannot be read (${errorText(error)}); run doctor as root`)
  }
}

function freeSpace(path: string): string {
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  const text = `${megabytes(free)} free on the disk of ${path}`
  if (free < FREE_FAIL_BYTES)
    throw new Wrong(`${text}: changes fail when it is full; make room, or move data_dir`)
  if (free < FREE_WARN_BYTES) throw new Doubtful(`${text}; make room`)
  return text
}

function database(path: string): string {
  if (!existsSync(path)) throw new Wrong(`${path} is not there yet; start octavia-lite serve once`)
  const bytes = [path, `${path}-wal`].map(
    (each) => statSync(each, { throwIfNoEntry: false })?.size ?? 0,
  )
  const inspection = openInspection(path)
  try {
    const [first] = inspection.damage
    if (first !== undefined)
      throw new Wrong(`it is damaged (${first}); stop octavia-lite serve and restore a backup`)
    const text = `${megabytes((bytes[0] ?? 0) + (bytes[1] ?? 0))}, undamaged`
    switch (inspection.schema) {
      case 'newer':
        throw new Wrong('a newer octavia-lite wrote it; use that one, or restore a backup')
      case 'of another program':
        throw new Wrong('it is a database of another program; choose another data_dir')
      case 'older':
        throw new Doubtful(`${text}; of an older version: the next start of serve brings it up`)
    }
    if ((bytes[1] ?? 0) > WAL_WARN_BYTES)
      throw new Doubtful(
        `${text}, but its write-ahead log has ${megabytes(bytes[1] ?? 0)}: a program holds the database open; end it`,
      )
    return text
  } finally {
    inspection.close()
  }
}

/** Throws Wrong where it cannot be read. */
export function openInspection(path: string): Inspection {
  try {
    return inspectStore(path)
  } catch (error) {
    throw new Wrong(`${path} cannot be read: ${errorText(error)}; run doctor as root`)
  }
}

function megabytes(bytes: number): string {
  return bytes < 10 << 20
    ? `${(bytes / (1 << 20)).toFixed(1)} MB`
    : `${Math.round(bytes / (1 << 20))} MB`
}
