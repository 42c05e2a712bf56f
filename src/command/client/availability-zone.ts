import { boolean, field, name, text, uuid } from '../../model/field.ts'
import type { ClientTable } from './table.ts'

/** Its name is what requests and paths call it; it has no id. */
export const AVAILABILITY_ZONE: ClientTable = {
  command: 'availabilityzone',
  kind: 'availabilityzone',
  noun: 'availability zone',
  nouns: 'availability zones',
  singular: 'availability_zone',
  fields: {
    name: field(name, { help: 'The name.', writable: 'create', required: true }),
    description: field(text({ max: 255 }), { help: 'Human-readable description.', fallback: '' }),
    availability_zone_profile_id: field(uuid, {
      help: 'The availability zone profile.',
      writable: 'create',
      required: true,
    }),
    enabled: field(boolean, { help: 'Whether it can be chosen.', fallback: true }),
  },
  names: { availability_zone_profile_id: 'availabilityzoneprofile' },
  references: { availability_zone_profile_id: 'availabilityzoneprofile' },
  switches: { enabled: '' },
  columns: ['name', 'availability_zone_profile_id', 'enabled'],
  rows: ['name', 'availability_zone_profile_id', 'enabled', 'description'],
  shapes: {},
  waits: false,
  tags: false,
  list: { filters: ['name', 'availability_zone_profile_id', 'enabled'] },
  show: { on: ['availabilityzone'] },
  create: {},
  set: { on: ['availabilityzone'] },
  unset: { on: ['availabilityzone'] },
  delete: { on: ['availabilityzone'] },
}
