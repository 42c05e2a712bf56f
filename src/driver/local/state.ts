/**
 * What the local cloud remembers: its deployment, ports and instances, one file each below
 * `state_dir`, replaced as a whole. Everything is in memory as well; a change is in its file before
 * it counts.
 *
 *   deployment.json
 *   ports/<port>.json
 *   amphorae/<amphora>/{instance.json,process,agent.log,etc/,lib/}
 */
import { existsSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, readTextIfExists, SECRET_MODE, writeFileAtomic } from '../../system/files.ts'
import { newId, parseUuid } from '../../system/ids.ts'
import { DriverError } from '../error.ts'
import type { Port } from '../network.ts'

export interface PortRecord extends Port {
  /** The load balancer whose VIP it is. */
  readonly vip_of: string | null
  /** A port of the user's which became a VIP. */
  readonly adopted: boolean
  /**
   * Whether there is a link: none for a mere reservation of an address, one into the instance
   * `device_id`, or one whose other end the user takes.
   */
  readonly link: 'none' | 'instance' | 'given-away'
}

export interface InstanceRecord {
  readonly amphora_id: string
  readonly load_balancer_id: string
  readonly name: string
  readonly port_id: string
}

export interface DeploymentRecord {
  readonly id: string
  /** Mount points we had to make on the host; removed with the networks. */
  readonly made_folders: readonly string[]
}

const DELETED_PREFIX = '.deleted-'

export class LocalState {
  /** Where all of it is: absolute, and without symbolic links, because parts of it are mounted. */
  readonly folder: string
  #deployment: DeploymentRecord
  readonly #ports: Map<string, PortRecord>
  readonly #instances: Map<string, InstanceRecord>

  /** Reads `folder`, or makes it; finishes deletions which a crash interrupted. */
  constructor(folder: string) {
    makeFolder(folder, 0o700)
    this.folder = realpathSync(folder)
    makeFolder(join(folder, 'ports'), 0o700)
    makeFolder(join(folder, 'amphorae'), 0o700)
    const path = join(folder, 'deployment.json')
    const known = readRecord<DeploymentRecord>(path)
    this.#deployment = known ?? { id: newId().slice(0, 8), made_folders: [] }
    if (known === undefined) writeRecord(path, this.#deployment)
    this.#instances = loadInstances(join(folder, 'amphorae'))
    this.#ports = loadPorts(join(folder, 'ports'))
    for (const port of this.#ports.values())
      if (port.link === 'instance' && !this.#instances.has(port.device_id)) this.removePort(port.id)
  }

  get deployment(): string {
    return this.#deployment.id
  }

  get ports(): Iterable<PortRecord> {
    return this.#ports.values()
  }

  get instances(): Iterable<InstanceRecord> {
    return this.#instances.values()
  }

  isEmpty(): boolean {
    return this.#ports.size === 0 && this.#instances.size === 0
  }

  findPort(id: string): PortRecord | undefined {
    return this.#ports.get(id)
  }

  findInstance(amphora_id: string): InstanceRecord | undefined {
    return this.#instances.get(amphora_id)
  }

  /** The addresses of a network's ports. */
  addressesOf(network_id: string): Set<string> {
    const taken = new Set<string>()
    for (const port of this.#ports.values())
      if (port.network_id === network_id)
        for (const { ip_address } of port.fixed_ips) taken.add(ip_address)
    return taken
  }

  putPort(port: PortRecord): void {
    writeRecord(this.#portPath(port.id), port)
    this.#ports.set(port.id, port)
  }

  removePort(id: string): void {
    rmSync(this.#portPath(id), { force: true })
    this.#ports.delete(id)
  }

  /** The folder of an amphora, whether it has an instance or not. */
  folderOf(amphora_id: string): string {
    return join(this.folder, 'amphorae', amphora_id)
  }

  /** From here on the instance exists; everything it needs must be in its folder. */
  putInstance(instance: InstanceRecord): void {
    writeRecord(join(this.folderOf(instance.amphora_id), 'instance.json'), instance)
    this.#instances.set(instance.amphora_id, instance)
  }

  /** From here on the instance does not exist, whatever of its folder a crash leaves. */
  removeInstance(amphora_id: string): void {
    const folder = this.folderOf(amphora_id)
    this.#instances.delete(amphora_id)
    if (!existsSync(folder)) return
    const deleted = join(this.folder, 'amphorae', DELETED_PREFIX + amphora_id)
    rmSync(deleted, { recursive: true, force: true })
    renameSync(folder, deleted)
    rmSync(deleted, { recursive: true, force: true })
  }

  get madeFolders(): readonly string[] {
    return this.#deployment.made_folders
  }

  setMadeFolders(made_folders: readonly string[]): void {
    this.#deployment = { ...this.#deployment, made_folders }
    writeRecord(join(this.folder, 'deployment.json'), this.#deployment)
  }

  #portPath(id: string): string {
    return join(this.folder, 'ports', `${id}.json`)
  }
}

function loadPorts(folder: string): Map<string, PortRecord> {
  const ports = new Map<string, PortRecord>()
  for (const file of readdirSync(folder)) {
    // A `.tmp` is what a crash left of a write that never counted.
    const id = file.endsWith('.json') ? parseUuid(file.slice(0, -'.json'.length)) : undefined
    const port = id === undefined ? undefined : readRecord<PortRecord>(join(folder, file))
    if (port === undefined) rmSync(join(folder, file), { force: true })
    else ports.set(port.id, port)
  }
  return ports
}

function loadInstances(folder: string): Map<string, InstanceRecord> {
  const instances = new Map<string, InstanceRecord>()
  for (const name of readdirSync(folder)) {
    const record = readRecord<InstanceRecord>(join(folder, name, 'instance.json'))
    if (record !== undefined && parseUuid(name) === record.amphora_id)
      instances.set(record.amphora_id, record)
    // Without a record it was never built to the end, or is a deletion that was interrupted.
    else rmSync(join(folder, name), { recursive: true, force: true })
  }
  return instances
}

/**
 * We alone write these files, as a whole, so one that does not parse was damaged by someone else.
 */
function readRecord<T>(path: string): T | undefined {
  const text = readTextIfExists(path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new DriverError({
      operation: 'start',
      subject: `state file ${path}`,
      reason: 'it is damaged',
      hint: 'put it back from a backup, or remove it to forget what it describes',
      retryable: false,
      cause,
    })
  }
}

function writeRecord(path: string, record: object): void {
  writeFileAtomic(path, `${JSON.stringify(record, null, 1)}\n`, SECRET_MODE)
}
