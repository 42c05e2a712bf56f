/**
 * What the local cloud of a state folder holds, read beside a serve that may be at work on it:
 * nothing is made, mended or cleaned. All of it is surely ours: the folder is the record of what we
 * made, links carry its deployment's mark, and processes run its script for its folders.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseUuid } from '../../system/ids.ts'
import { readLinks } from '../../system/ip.ts'
import type { Processes } from '../../system/process.ts'
import type { Thing } from '../inventory.ts'
import { markOf } from './naming.ts'
import type { DeploymentRecord, InstanceRecord, PortRecord } from './state.ts'

/** The deployment of a state folder; undefined where there is none yet. */
export function localDeployment(folder: string): string | undefined {
  return readJson<DeploymentRecord>(join(folder, 'deployment.json'))?.id
}

/** Whether what a row names is on record. */
export function isLocallyThere(folder: string, kind: 'server' | 'port', id: string): boolean {
  const path = kind === 'port' ? `ports/${id}.json` : `amphorae/${id}/instance.json`
  return existsSync(join(folder, path))
}

/** Empty where there is no state yet. */
export async function listLocalThings(
  processes: Processes,
  folder: string,
): Promise<readonly Thing[]> {
  const deployment = localDeployment(folder)
  if (deployment === undefined) return []
  // Before the records, which are written before what they are about is made.
  const links = await readLinks(processes)
  const running = supervisors(folder)
  const ports = readPorts(folder)
  const instances = readInstances(folder)
  const thing = (kind: Thing['kind'], id: string, of: Partial<Thing>): Thing => ({
    ...{ kind, id, name: id, deployment, amphora_id: null, load_balancer_id: null, ...of },
  })
  const known = new Set(instances.map(({ amphora_id }) => amphora_id))
  const portIds = new Set(ports.map(({ id }) => id))
  const portMark = markOf(deployment, 'port', '')
  return [
    ...instances.map(({ amphora_id, load_balancer_id, name }) =>
      thing('amphora', amphora_id, { name, amphora_id, load_balancer_id }),
    ),
    ...running
      .filter(({ amphora_id }) => !known.has(amphora_id))
      .map(({ pid, amphora_id }) =>
        thing('process', String(pid), { name: `process ${pid}`, amphora_id }),
      ),
    ...ports.flatMap((port) => toThings(port, known, thing)),
    ...links.flatMap(({ name, alias }) => {
      const id = alias?.startsWith(portMark) === true ? alias.slice(portMark.length) : undefined
      return id === undefined || portIds.has(id) ? [] : [thing('link', name, { name })]
    }),
  ]
}

/** A port of the user's is given back with its load balancer; others go with their instance. */
function toThings(
  { id, name, vip_of, adopted, link, device_id }: PortRecord,
  instances: ReadonlySet<string>,
  thing: (kind: Thing['kind'], id: string, of: Partial<Thing>) => Thing,
): readonly Thing[] {
  if (vip_of !== null && !adopted) return [thing('port', id, { name, load_balancer_id: vip_of })]
  const isLeft = link === 'instance' && !instances.has(device_id)
  return isLeft ? [thing('port', id, { name, amphora_id: device_id })] : []
}

interface Supervisor {
  readonly pid: number
  readonly amphora_id: string
}

/** Processes with a folder of an amphora among their arguments, wherever their script is. */
export function supervisors(folder: string): readonly Supervisor[] {
  const amphorae = join(folder, 'amphorae')
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    const words = commandOf(name)
    if (!words.includes(join(folder, 'supervise'))) return []
    const own = words.find((word) => dirname(word) === amphorae)
    const amphora_id = own === undefined ? undefined : parseUuid(basename(own))
    return amphora_id === undefined ? [] : [{ pid: Number(name), amphora_id }]
  })
}

function commandOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    // It has ended.
    return []
  }
}

function readPorts(folder: string): readonly PortRecord[] {
  return namesIn(join(folder, 'ports'))
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readJson<PortRecord>(join(folder, 'ports', name)) ?? [])
}

function readInstances(folder: string): readonly InstanceRecord[] {
  return namesIn(join(folder, 'amphorae'))
    .filter((name) => parseUuid(name) === name)
    .flatMap(
      (name) => readJson<InstanceRecord>(join(folder, 'amphorae', name, 'instance.json')) ?? [],
    )
}

/** What goes away while it is read is not there. */
function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
