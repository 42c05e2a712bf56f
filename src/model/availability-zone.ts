/** Availability zones, which are known by their names, and the profiles behind them. */
import { boolean, description, field, name, type Row, resource, text, uuid } from './field.ts'
import { profileData } from './flavor.ts'
import { id } from './parts.ts'

/** Source: octavia/api/v2/types/availability_zone_profile.py. */
export const availabilityZoneProfile = resource({
  title: 'Availability Zone Profile',
  singular: 'availability_zone_profile',
  plural: 'availability_zone_profiles',
  argument: 'availability_zone_profile_',
  table: 'availability_zone_profile',
  fields: {
    ...id,
    name: field(name, { help: 'Human-readable name.', required: true }),
    provider_name: field(name, { help: 'The provider it is for.', required: true }),
    availability_zone_data: field(profileData, {
      help: 'A JSON object of settings which the provider supports.',
      required: true,
    }),
  },
})
export type AvailabilityZoneProfile = Row<typeof availabilityZoneProfile.fields>

/** Source: octavia/api/v2/types/availability_zones.py. */
export const availabilityZone = resource({
  title: 'Availability Zone',
  singular: 'availability_zone',
  plural: 'availability_zones',
  argument: 'availability_zone_',
  table: 'availability_zone',
  key: 'name',
  fields: {
    name: field(text({ max: 255 }), {
      help: 'Its name, unique.',
      writable: 'create',
      required: true,
    }),
    description: field(description, { help: 'Human-readable description.', fallback: '' }),
    enabled: field(boolean, { help: 'Whether it may be chosen.', fallback: true, whenNull: false }),
    availability_zone_profile_id: field(uuid, {
      help: 'What it means.',
      writable: 'create',
      required: true,
    }),
  },
})
export type AvailabilityZone = Row<typeof availabilityZone.fields>
