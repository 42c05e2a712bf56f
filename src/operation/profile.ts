/**
 * What a profile says, held against what its provider supports: when the profile is written, and
 * again whenever a load balancer is made from it.
 */
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
  readonly settings: Pick<OperationSettings, 'enabled_provider_drivers' | 'lacking'>
}

/** The settings in this text of a profile; throws 400 and 501 as upstream. */
export async function validateProfile(
  { network, settings }: ProfileDependencies,
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
  const { management_network, valid_vip_networks = [] } = parsed
  for (const id of [...(valid_vip_networks as readonly string[]), management_network])
    if (typeof id === 'string' && id !== '' && (await network.findNetwork(id)) === undefined)
      throw fault.referenceNotFound('Network', id)
  return parsed
}
