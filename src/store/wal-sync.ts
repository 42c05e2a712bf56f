/**
 * Carries commits to the disk, many with one sync and beside the event loop: SQLite itself would
 * sync for each and stop everything meanwhile, which on a busy disk takes milliseconds.
 *
 * The connection is `synchronous = normal`: a commit has written its frames to the write-ahead log,
 * and SQLite syncs the log only where the order of writes matters, that is around a checkpoint. A
 * sync of the log that begins after a commit makes it outlive a power cut, like `full`.
 * Source: https://www.sqlite.org/pragma.html#pragma_synchronous and walFrames in SQLite's wal.c.
 */
import { close, fdatasync, openSync } from 'node:fs'

export interface WalFile {
  sync(): Promise<void>
  close(): void
}

/** The log beside an open database. SQLite keeps no lock on it that closing would take away. */
export function openWal(path: string): WalFile {
  const fd = openSync(`${path}-wal`, 'r+')
  return {
    sync: () =>
      new Promise((resolve, reject) => {
        fdatasync(fd, (error) => (error === null ? resolve() : reject(error)))
      }),
    close: () => close(fd),
  }
}

export class WalSync {
  readonly #file: WalFile
  #running: Promise<void> = Promise.resolve()
  /** The sync that has not begun, which whoever asks meanwhile joins. */
  #next: Promise<void> | undefined
  /** Something was committed since the last sync began. */
  #dirty = false

  constructor(file: WalFile) {
    this.#file = file
  }

  committed(): void {
    this.#dirty = true
  }

  /** Resolves when all that was committed before the call is on the disk. */
  synced(): Promise<void> {
    if (!this.#dirty) return this.#running
    this.#next ??= this.#follow()
    return this.#next
  }

  /** Waits for the sync that is running; what is committed has to be closed by SQLite. */
  close(): void {
    void this.#running.catch(() => {}).then(() => this.#file.close())
  }

  /** A sync that runs already may have begun before the commits that are waited for. */
  async #follow(): Promise<void> {
    await this.#running.catch(() => {})
    this.#next = undefined
    this.#dirty = false
    this.#running = this.#file.sync().catch((error) => {
      this.#dirty = true
      throw error
    })
    // Whoever waits for it is told by what this returns.
    this.#running.catch(() => {})
    await this.#running
  }
}
