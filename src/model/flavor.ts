/**
 * Flavors: what users choose from, and the profiles behind them, in which an operator says what a
 * choice means to a provider.
 */
import { boolean, description, field, name, type Row, resource, text, uuid } from './field.ts'
import { id } from './parts.ts'

/** JSON, as it was sent. */
export const profileData = text({ max: 4096 }, { lineBreaks: true })

/** Source: octavia/api/v2/types/flavor_profile.py. */
export const flavorProfile = resource({
  title: 'Flavor Profile',
  singular: 'flavorprofile',
  plural: 'flavorprofiles',
  argument: 'flavor_profile_',
  table: 'flavor_profile',
  fields: {
    ...id,
    name: field(name, { help: 'Human-readable name.', required: true }),
    provider_name: field(name, { help: 'The provider it is for.', required: true }),
    flavor_data: field(profileData, {
      help: 'A JSON object of settings which the provider supports.',
      required: true,
    }),
  },
})
export type FlavorProfile = Row<typeof flavorProfile.fields>

/** Source: octavia/api/v2/types/flavors.py. */
export const flavor = resource({
  title: 'Flavor',
  singular: 'flavor',
  plural: 'flavors',
  argument: 'flavor_',
  table: 'flavor',
  fields: {
    ...id,
    name: field(name, { help: 'Human-readable name, unique.', required: true }),
    description: field(description, { help: 'Human-readable description.', fallback: '' }),
    enabled: field(boolean, { help: 'Whether it may be chosen.', fallback: true, whenNull: false }),
    flavor_profile_id: field(uuid, {
      help: 'What it means.',
      writable: 'create',
      required: true,
    }),
  },
})
export type Flavor = Row<typeof flavor.fields>
