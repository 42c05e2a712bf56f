/** `octavia-lite doctor orphans`: what is left in the cloud, and what is missing there. */
import { existsSync } from 'node:fs'
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/options.ts'
import type { Thing } from '../../driver/inventory.ts'
import { isLocallyThere, listLocalThings, localDeployment } from '../../driver/local/inventory.ts'
import {
  type InventoryDeps,
  isThere,
  listThings,
  removeThing,
} from '../../driver/openstack/inventory.ts'
import { createNeutron } from '../../driver/openstack/neutron.ts'
import { amphora } from '../../model/amphora.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import { listBusyIds } from '../../store/inspection.ts'
import { findRows } from '../../store/repository.ts'
import type { Db } from '../../store/store.ts'
import { systemClock } from '../../system/clock.ts'
import { readTextIfExists } from '../../system/files.ts'
import { errorText, silentLog } from '../../system/log.ts'
import { systemProcesses } from '../../system/process.ts'
import { configFile } from '../config.ts'
import { CommandFailure, EXIT, type Exit, type Io, table } from '../io.ts'
import { cloudIn, databaseIn, deploymentIn, openDataFolder } from '../serve/data-folder.ts'
import { openLocalCloud } from '../serve/drivers.ts'
import { CINDER, NOVA, openOpenStack } from '../serve/openstack.ts'
import { confirm } from '../setup/question.ts'
import { usesCloud } from './cloud.ts'
import { openInspection } from './data-directory.ts'
import { type Missing, type Owners, planMissing, planOrphans } from './orphan-plan.ts'
import { explained } from './told.ts'

export interface OrphanOptions {
  readonly config_file: string | undefined
  readonly remove: boolean
  readonly ask: boolean
  readonly json: boolean
}

/** Clouds that this configuration works with, as one. */
export interface Inventory {
  readonly deployment: string
  list(): Promise<readonly Thing[]>
  isThere(missing: Missing): Promise<boolean>
  /** One after the other; what cannot be removed is told. */
  remove(
    things: readonly Thing[],
    told: (thing: Thing, failure: string | null) => void,
  ): Promise<void>
}

export interface Survey {
  readonly orphans: readonly Thing[]
  readonly missing: readonly Missing[]
}

/** What is there first, then the rows: what was made in between is not looked at. */
export async function surveyOrphans(
  inventory: Inventory,
  owners: () => Promise<Owners>,
): Promise<Survey> {
  const things = await inventory.list()
  const rows = await owners()
  const missing: Missing[] = []
  for (const each of planMissing(things, rows))
    if (!(await inventory.isThere(each))) missing.push(each)
  return { orphans: planOrphans(things, rows, inventory.deployment), missing }
}

export async function readOwners(db: Db): Promise<Owners> {
  const busy = await listBusyIds(db)
  return {
    amphorae: await findRows(db, amphora, {}),
    load_balancers: await findRows(db, loadBalancer, {}),
    busy,
  }
}

export async function tellOrphans(options: OrphanOptions, io: Io): Promise<Exit> {
  return await explained(async () => {
    const config = loadConfig(configFile(options.config_file))
    const path = databaseIn(config.DEFAULT.data_dir)
    if (!existsSync(path))
      throw new CommandFailure(`there is no database ${path} yet; start octavia-lite serve once`)
    const inspection = openInspection(path)
    if (inspection.schema !== 'ours' || inspection.damage.length > 0)
      throw new CommandFailure(
        `${path} cannot be compared with the cloud as it is; see octavia-lite doctor`,
      )
    try {
      const owners = (): Promise<Owners> => readOwners(inspection.db)
      return await compare(openInventory(config), owners, options, io)
    } finally {
      inspection.close()
    }
  })
}

/** Lists, and removes where it is asked for. */
export async function compare(
  inventory: Inventory,
  owners: () => Promise<Owners>,
  { remove, ask, json }: Omit<OrphanOptions, 'config_file'>,
  io: Io,
): Promise<Exit> {
  const { orphans, missing } = await surveyOrphans(inventory, owners)
  if (!json) print(orphans, missing, io)
  if (!remove || orphans.length === 0) {
    if (json) io.out(`${JSON.stringify({ orphans, missing }, null, 2)}\n`)
    return orphans.length + missing.length === 0 ? EXIT.ok : EXIT.failure
  }
  if (ask) {
    if (json) print(orphans, [], { ...io, out: io.err })
    await confirm('Delete these?', io)
  }
  // Somebody may have thought for long.
  const now = new Set((await surveyOrphans(inventory, owners)).orphans.map(({ id }) => id))
  const deleted: Thing[] = []
  const failed: { readonly thing: Thing; readonly reason: string }[] = []
  await inventory.remove(
    orphans.filter(({ id }) => now.has(id)),
    (thing, reason) => {
      if (reason === null) deleted.push(thing)
      else failed.push({ thing, reason })
      const done = reason === null ? 'deleted' : `not deleted, ${reason}:`
      if (!json) io.out(`${done} ${thing.kind} ${thing.name} (${thing.id})\n`)
    },
  )
  if (json) io.out(`${JSON.stringify({ orphans, missing, deleted, failed }, null, 2)}\n`)
  return failed.length + missing.length === 0 ? EXIT.ok : EXIT.failure
}

function print(orphans: readonly Thing[], missing: readonly Missing[], io: Pick<Io, 'out'>): void {
  if (orphans.length + missing.length === 0)
    io.out('nothing is left over, and nothing is missing\n')
  io.out(
    table(
      orphans.map(({ kind, id, name, amphora_id, load_balancer_id }) => {
        const parent = load_balancer_id === null ? '' : `: load balancer ${load_balancer_id}`
        const of = amphora_id === null ? parent : `: amphora ${amphora_id}`
        return [kind, id, name, `belongs to no row${of}`]
      }),
    ),
  )
  for (const { kind, id, amphora_id, load_balancer_id } of missing)
    io.out(
      amphora_id === null
        ? `load balancer ${load_balancer_id}: its VIP ${kind} ${id} is gone; octavia-lite lb failover ${load_balancer_id} makes it again\n`
        : `amphora ${amphora_id}: its ${kind} ${id} is gone; octavia-lite amphora failover ${amphora_id} replaces it\n`,
    )
}

/** Throws CommandFailure where the configuration has neither kind of cloud. */
function openInventory(config: Config): Inventory {
  const { data_dir } = config.DEFAULT
  if (usesCloud(config)) return cloudInventory(config)
  const { compute_driver, network_driver } = config.controller_worker
  if (compute_driver === 'local' || network_driver === 'local') return localInventory(config)
  throw new CommandFailure(`the drivers of ${data_dir} make nothing that could be left over`)
}

function cloudInventory(config: Config): Inventory {
  const deployment = (readTextIfExists(deploymentIn(config.DEFAULT.data_dir)) ?? '').trim()
  if (deployment === '')
    throw new CommandFailure(
      'this data directory has no deployment yet; start octavia-lite serve once',
    )
  const openstack = openOpenStack({ config, deployment, clock: systemClock, log: silentLog })
  const { compute_driver, volume_driver } = config.controller_worker
  const isNova = compute_driver === 'compute_nova_driver'
  const deps: InventoryDeps = {
    nova: isNova ? openstack.service(NOVA, config.nova) : null,
    neutron: createNeutron(openstack.neutron()),
    cinder:
      isNova && volume_driver === 'volume_cinder_driver'
        ? openstack.service(CINDER, config.cinder)
        : null,
    projectId: () => openstack.session().projectId(),
  }
  return openStackInventory(deps, deployment)
}

export function openStackInventory(deps: InventoryDeps, deployment: string): Inventory {
  return {
    deployment,
    list: () => listThings(deps),
    isThere: ({ kind, id }) => isThere(deps, kind, id),
    remove: async (things, told) => {
      for (const thing of things)
        try {
          await removeThing(deps, thing)
          told(thing, null)
        } catch (error) {
          told(thing, errorText(error))
        }
    },
  }
}

function localInventory(config: Config): Inventory {
  const { data_dir } = config.DEFAULT
  const folder = cloudIn(data_dir)
  const list = (): Promise<readonly Thing[]> => listLocalThings(systemProcesses, folder)
  return {
    deployment: localDeployment(folder) ?? '',
    list,
    isThere: async ({ kind, id }) => isLocallyThere(folder, kind, id),
    remove: async (things, told) => {
      // A serve has all of this in memory.
      const open = await openDataFolder(data_dir)
      try {
        const agentExecutable = process.execPath
        await openLocalCloud({ config, folder: open, log: silentLog, agentExecutable }).remove(
          things,
        )
        for (const thing of things) told(thing, null)
      } finally {
        open.release()
      }
    },
  }
}
