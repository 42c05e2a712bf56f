/**
 * What a create request chooses by its flavor and availability zone: provider, topology, kind of
 * VIP port and networks for VIPs. Order of checks and texts:
 * octavia/api/v2/controllers/load_balancer.py, post.
 */
import { availabilityZone, availabilityZoneProfile } from '../model/availability-zone.ts'
import { getCapabilities, type ProfileData } from '../model/capability.ts'
import { fault } from '../model/fault.ts'
import type { Create, Fields, Resource, Row } from '../model/field.ts'
import { flavor, flavorProfile } from '../model/flavor.ts'
import type { LoadBalancer, loadBalancer, Topology, VnicType } from '../model/load-balancer.ts'
import { findRow } from '../store/repository.ts'
import type { Db, Tx } from '../store/store.ts'
import { present } from '../system/assert.ts'
import type { OperationDependencies } from './change.ts'
import { validateProfile } from './profile.ts'

type Wanted = Pick<
  Create<typeof loadBalancer.fields>,
  'flavor_id' | 'availability_zone' | 'provider' | 'vip_sg_ids'
>

export interface OfferChoice {
  readonly provider: string
  readonly topology: Topology
  readonly vip_vnic_type: VnicType
  /** Whether members may have SR-IOV ports. */
  readonly member_sriov: boolean
  /** Empty: what the deployment allows. */
  readonly valid_vip_networks: readonly string[]
}

export async function chooseOffer(
  deps: Pick<OperationDependencies, 'store' | 'network' | 'compute' | 'settings'>,
  wanted: Wanted,
): Promise<OfferChoice> {
  const { settings } = deps
  const db = deps.store.read
  const chosenFlavor = await findFlavor(db, wanted.flavor_id)
  const chosenZone = await findZone(db, wanted.availability_zone)
  const ofFlavor = chosenFlavor?.provider_name
  if (ofFlavor !== undefined && wanted.provider !== null && wanted.provider !== ofFlavor)
    throw fault.flavorMismatch(wanted.flavor_id ?? '', wanted.provider)
  const provider = ofFlavor ?? wanted.provider ?? settings.default_provider_driver
  getCapabilities(settings.enabled_provider_drivers, provider)
  const flavorData =
    chosenFlavor === undefined
      ? {}
      : await settingsOf(deps, 'flavor', provider, chosenFlavor.flavor_data)
  const zoneData =
    chosenZone === undefined
      ? {}
      : await settingsOf(deps, 'availability_zone', provider, chosenZone.availability_zone_data)
  const direct = flavorData.sriov_vip === true
  if (direct && wanted.vip_sg_ids.length > 0)
    throw fault.validation('VIP Security Groups are not allowed with VNIC direct type')
  const topology = (flavorData.loadbalancer_topology ?? settings.topology) as Topology
  const valid_vip_networks = (zoneData.valid_vip_networks ?? []) as readonly string[]
  const vip_vnic_type = direct ? 'direct' : 'normal'
  const member_sriov = flavorData.allow_member_sriov === true
  return { provider, topology, vip_vnic_type, member_sriov, valid_vip_networks }
}

/** An empty profile is not shown to the provider, as upstream. */
async function settingsOf(
  deps: Pick<OperationDependencies, 'network' | 'compute' | 'settings'>,
  kind: 'flavor' | 'availability_zone',
  provider_name: string,
  data: string,
): Promise<ProfileData> {
  return data.trim() === '{}' ? {} : validateProfile(deps, kind, { provider_name, data })
}

async function findFlavor(db: Db, id: string | null) {
  if (id === null) return undefined
  const row = await findRow(db, flavor, id)
  if (row === undefined) throw fault.validation('Invalid flavor_id.')
  if (!row.enabled) throw fault.disabledOption('flavor', id)
  return getParent(db, flavorProfile, row.flavor_profile_id)
}

async function findZone(db: Db, name: string | null) {
  if (name === null) return undefined
  const row = await findRow(db, availabilityZone, name)
  if (row === undefined) throw fault.validation('Invalid availability zone.')
  if (!row.enabled) throw fault.disabledOption('availability_zone', name)
  return getParent(db, availabilityZoneProfile, row.availability_zone_profile_id)
}

async function getParent<F extends Fields>(
  db: Db,
  resource: Resource<F>,
  id: string,
): Promise<Row<F>> {
  return present(await findRow(db, resource, id), `${resource.title} ${id}`)
}

/** They may have been deleted while the VIP was being made. */
export async function checkStillOffered(
  tx: Tx,
  { flavor_id, availability_zone }: Pick<LoadBalancer, 'flavor_id' | 'availability_zone'>,
): Promise<void> {
  await findFlavor(tx, flavor_id)
  await findZone(tx, availability_zone)
}

/** Whether the load balancer's flavor lets members have SR-IOV ports. */
export async function allowsMemberSriov(
  db: Db,
  { flavor_id }: Pick<LoadBalancer, 'flavor_id'>,
): Promise<boolean> {
  const row = flavor_id === null ? undefined : await findRow(db, flavor, flavor_id)
  if (row === undefined) return false
  const { flavor_data } = await getParent(db, flavorProfile, row.flavor_profile_id)
  const data = JSON.parse(flavor_data) as ProfileData
  return data.allow_member_sriov === true
}
