/** What the flavor and the availability zone of a load balancer say about its instances. */
import type { InstanceProfile } from '../../driver/compute.ts'
import { availabilityZone, availabilityZoneProfile } from '../../model/availability-zone.ts'
import type { ProfileData } from '../../model/capability.ts'
import { flavor, flavorProfile } from '../../model/flavor.ts'
import type { LoadBalancer } from '../../model/load-balancer.ts'
import { findRow, getRow } from '../../store/repository.ts'
import type { Db } from '../../store/store.ts'

export async function findInstanceProfile(
  db: Db,
  { flavor_id, availability_zone }: Pick<LoadBalancer, 'flavor_id' | 'availability_zone'>,
): Promise<InstanceProfile> {
  const ofFlavor = await flavorData(db, flavor_id)
  const ofZone = await zoneData(db, availability_zone)
  return {
    compute_flavor: textOf(ofFlavor.compute_flavor),
    amp_image_tag: textOf(ofFlavor.amp_image_tag),
    compute_zone: textOf(ofZone.compute_zone),
    volume_zone: textOf(ofZone.volume_zone),
    management_network: textOf(ofZone.management_network),
  }
}

async function flavorData(db: Db, id: string | null): Promise<ProfileData> {
  const row = id === null ? undefined : await findRow(db, flavor, id)
  if (row === undefined) return {}
  const { flavor_data } = await getRow(db, flavorProfile, row.flavor_profile_id)
  return JSON.parse(flavor_data) as ProfileData
}

async function zoneData(db: Db, name: string | null): Promise<ProfileData> {
  const row = name === null ? undefined : await findRow(db, availabilityZone, name)
  if (row === undefined) return {}
  const id = row.availability_zone_profile_id
  const { availability_zone_data } = await getRow(db, availabilityZoneProfile, id)
  return JSON.parse(availability_zone_data) as ProfileData
}

/** An empty setting is none, as upstream reads it. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
