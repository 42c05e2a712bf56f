/**
 * What operators offer: flavors, availability zones and the profiles behind them. Rows only; no
 * amphora changes by them.
 */
import { availabilityZone, availabilityZoneProfile } from '../model/availability-zone.ts'
import type { ProfileKind } from '../model/capability.ts'
import { fault } from '../model/fault.ts'
import { type Create, type Fields, keyOf, type Resource, type Update } from '../model/field.ts'
import { flavor, flavorProfile } from '../model/flavor.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import {
  countRows,
  deleteRow,
  findRow,
  getRow,
  insertRow,
  updateRow,
  updateRows,
} from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import type { OperationDependencies } from './change.ts'
import { validateProfile } from './profile.ts'

type Deps = OperationDependencies

/** How the two kinds differ; `title` is what upstream calls a profile that cannot be deleted. */
const KINDS = {
  flavor: {
    profile: flavorProfile as Resource<Fields>,
    offer: flavor as Resource<Fields>,
    data: 'flavor_data',
    parent: 'flavor_profile_id',
    chosen: 'flavor_id',
    what: 'flavor',
    title: 'Flavor profile',
  },
  availability_zone: {
    profile: availabilityZoneProfile as Resource<Fields>,
    offer: availabilityZone as Resource<Fields>,
    data: 'availability_zone_data',
    parent: 'availability_zone_profile_id',
    chosen: 'availability_zone',
    what: 'availability zone',
    title: 'Availability Zone Profile',
  },
} as const satisfies Record<ProfileKind, unknown>

type Values = Create<Fields>
type Changes = Update<Fields>

/** The id of the new profile. */
export async function createProfile(
  deps: Deps,
  kind: ProfileKind,
  values: Values,
): Promise<string> {
  const { profile, data } = KINDS[kind]
  await validateProfile(deps, kind, {
    provider_name: String(values.provider_name),
    data: String(values[data]),
  })
  const id = deps.newId()
  await deps.store.transaction((tx) => insertRow(tx, profile, { ...values, id }))
  return id
}

/** Provider and data are fixed as soon as something is offered by the profile. */
export async function updateProfile(
  deps: Deps,
  kind: ProfileKind,
  id: string,
  changes: Changes,
): Promise<void> {
  const { profile, data } = KINDS[kind]
  const refuseUsed = async (db: Parameters<typeof countRows>[0]): Promise<void> => {
    if (changes[data] !== undefined || changes.provider_name !== undefined)
      await refuseOffered(db, kind, id)
  }
  await refuseUsed(deps.store.read)
  const row: Record<string, unknown> = await getRow(deps.store.read, profile, id)
  if (changes[data] !== undefined)
    await validateProfile(deps, kind, {
      provider_name: String(changes.provider_name ?? row.provider_name),
      data: String(changes[data]),
    })
  await deps.store.transaction(async (tx) => {
    await refuseUsed(tx)
    await updateRow(tx, profile, id, changes)
  })
}

export async function deleteProfile(deps: Deps, kind: ProfileKind, id: string): Promise<void> {
  const { profile } = KINDS[kind]
  await deps.store.transaction(async (tx) => {
    await refuseOffered(tx, kind, id)
    if (!(await deleteRow(tx, profile, id))) throw fault.notFound(KINDS[kind].title, id)
  })
}

async function refuseOffered(
  db: Parameters<typeof countRows>[0],
  kind: ProfileKind,
  id: string,
): Promise<void> {
  const { offer, parent, title } = KINDS[kind]
  if ((await countRows(db, offer, { [parent]: id })) > 0) throw fault.inUse(title, id)
}

/** The key of the new flavor or availability zone. */
export async function createOffer(deps: Deps, kind: ProfileKind, values: Values): Promise<string> {
  const { profile, offer, parent } = KINDS[kind]
  const row = keyOf(offer) === 'id' ? { ...values, id: deps.newId() } : values
  await deps.store.transaction(async (tx) => {
    await refuseName(tx, kind, String(values.name))
    // Upstream leaves this to the database and answers 500.
    const profile_id = String(values[parent])
    if ((await findRow(tx, profile, profile_id)) === undefined)
      throw fault.referenceNotFound(profile.title, profile_id)
    await insertRow(tx, offer, row)
  })
  return String(row[keyOf(offer)])
}

export async function updateOffer(
  deps: Deps,
  kind: ProfileKind,
  key: string,
  changes: Changes,
): Promise<void> {
  const { offer } = KINDS[kind]
  await deps.store.transaction(async (tx) => {
    const row: Record<string, unknown> = await getRow(tx, offer, key)
    if (changes.name !== undefined && changes.name !== row.name)
      await refuseName(tx, kind, String(changes.name))
    await updateRow(tx, offer, key, changes)
  })
}

async function refuseName(tx: Tx, kind: ProfileKind, name: string): Promise<void> {
  const { offer, what } = KINDS[kind]
  if ((await countRows(tx, offer, { name })) > 0) throw fault.alreadyExists(what, name)
}

/** Load balancers which are only kept as a memory do not hold it back. */
export async function deleteOffer(deps: Deps, kind: ProfileKind, key: string): Promise<void> {
  const { offer, chosen } = KINDS[kind]
  await deps.store.transaction(async (tx) => {
    const deleted = { [chosen]: key, provisioning_status: 'DELETED' }
    await updateRows(tx, loadBalancer, deleted, { [chosen]: null })
    if ((await countRows(tx, loadBalancer, { [chosen]: key })) > 0)
      throw fault.inUse(offer.title, key)
    if (!(await deleteRow(tx, offer, key))) throw fault.notFound(offer.title, key)
  })
}
