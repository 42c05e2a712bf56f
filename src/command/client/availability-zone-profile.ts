import { field, name, text } from '../../model/field.ts'
import type { ClientTable } from './table.ts'

export const AVAILABILITY_ZONE_PROFILE: ClientTable = {
  command: 'availabilityzoneprofile',
  kind: 'availabilityzoneprofile',
  noun: 'availability zone profile',
  nouns: 'availability zone profiles',
  singular: 'availability_zone_profile',
  fields: {
    name: field(name, { help: 'The name.', required: true }),
    provider_name: field(text({ max: 255 }), { help: 'The provider.', required: true }),
    availability_zone_data: field(text({ max: 4096 }), {
      help: 'What it asks of the provider, as a JSON object.',
      required: true,
    }),
  },
  names: { provider_name: 'provider' },
  references: {},
  switches: {},
  columns: ['id', 'name', 'provider_name'],
  rows: ['id', 'name', 'provider_name', 'availability_zone_data'],
  shapes: {},
  waits: false,
  tags: false,
  list: { filters: ['name', 'provider_name'] },
  show: { on: ['availabilityzoneprofile'] },
  create: {},
  set: { on: ['availabilityzoneprofile'] },
  delete: { on: ['availabilityzoneprofile'] },
}
