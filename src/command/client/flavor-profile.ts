import { field, name, text } from '../../model/field.ts'
import type { ClientTable } from './table.ts'

export const FLAVOR_PROFILE: ClientTable = {
  command: 'flavorprofile',
  kind: 'flavorprofile',
  noun: 'flavor profile',
  nouns: 'flavor profiles',
  singular: 'flavorprofile',
  fields: {
    name: field(name, { help: 'The name.', required: true }),
    provider_name: field(text({ max: 255 }), { help: 'The provider.', required: true }),
    flavor_data: field(text({ max: 4096 }), {
      help: 'What it asks of the provider, as a JSON object.',
      required: true,
    }),
  },
  names: { provider_name: 'provider' },
  references: {},
  switches: {},
  columns: ['id', 'name', 'provider_name'],
  rows: ['id', 'name', 'provider_name', 'flavor_data'],
  shapes: {},
  waits: false,
  tags: false,
  list: { filters: ['name', 'provider_name'] },
  show: { on: ['flavorprofile'] },
  create: {},
  set: { on: ['flavorprofile'] },
  delete: { on: ['flavorprofile'] },
}
