/**
 * What a profile says, held against what its provider supports: when the profile is written, and
 * again whenever a load balancer is made from it.
 */
import type { ComputeDriver, ComputeOffer } from '../driver/compute.ts'
import type { NetworkDriver } from '../driver/network.ts'
import {
  checkProfile,
  getCapabilities,
  type ProfileData,
  type ProfileKind,
  parseProfileData,
} from '../model/capability.ts'
import { fault } from '../model/fault.ts'
import type { OperationSettings } from './change.ts'

export interface ProfileDependencies {
  readonly network: Pick<NetworkDriver, 'findNetwork'>
  readonly compute: Pick<ComputeDriver, 'hasOffer'>
  readonly settings: Pick<OperationSettings, 'enabled_provider_drivers' | 'lacking'>
}

/** The settings in this text of a profile; throws 400 and 501 as upstream. */
export async function validateProfile(
  { network, compute, settings }: ProfileDependencies,
  kind: ProfileKind,
  profile: { readonly provider_name: string; readonly data: string },
): Promise<ProfileData> {
  const { provider_name, data } = profile
  const parsed = parseProfileData(data, `${kind}_data`)
  const capabilities = getCapabilities(settings.enabled_provider_drivers, provider_name)
  checkProfile(provider_name, kind, capabilities, parsed)
  if (!capabilities.strict) return parsed
  const lack = settings.lacking.find(
    ({ name, value }) =>
      Object.hasOwn(parsed, name) && (value === undefined || parsed[name] === value),
  )
  if (lack !== undefined)
    throw fault.providerUnsupported(provider_name, `${lack.name}: ${lack.reason}`)
  await checkOffers(compute, parsed)
  const { management_network, valid_vip_networks = [] } = parsed
  for (const id of [...(valid_vip_networks as readonly string[]), management_network])
    if (typeof id === 'string' && id !== '' && (await network.findNetwork(id)) === undefined)
      throw fault.referenceNotFound('Network', id)
  return parsed
}

/** What these settings name, and what upstream calls it. */
const OFFERS = {
  compute_flavor: 'Nova flavor',
  amp_image_tag: 'image with the tag',
  compute_zone: 'Nova availability zone',
  volume_zone: 'Cinder availability zone',
} as const satisfies Record<ComputeOffer, string>

async function checkOffers(
  compute: ProfileDependencies['compute'],
  data: ProfileData,
): Promise<void> {
  for (const offer of Object.keys(OFFERS) as ComputeOffer[]) {
    const value = data[offer]
    if (typeof value !== 'string' || value === '') continue
    if ((await compute.hasOffer?.(offer, value)) === false)
      throw fault.referenceNotFound(OFFERS[offer], value)
  }
}
