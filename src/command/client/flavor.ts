import { boolean, field, name, text, uuid } from '../../model/field.ts'
import type { ClientTable } from './table.ts'

export const FLAVOR: ClientTable = {
  command: 'flavor',
  kind: 'flavor',
  noun: 'flavor',
  nouns: 'flavors',
  singular: 'flavor',
  fields: {
    name: field(name, { help: 'The name.', required: true }),
    description: field(text({ max: 255 }), { help: 'Human-readable description.', fallback: '' }),
    flavor_profile_id: field(uuid, {
      help: 'The flavor profile.',
      writable: 'create',
      required: true,
    }),
    enabled: field(boolean, { help: 'Whether it can be chosen.', fallback: true }),
  },
  names: { flavor_profile_id: 'flavorprofile' },
  references: { flavor_profile_id: 'flavorprofile' },
  switches: { enabled: '' },
  columns: ['id', 'name', 'flavor_profile_id', 'enabled'],
  rows: ['id', 'name', 'flavor_profile_id', 'enabled', 'description'],
  shapes: {},
  waits: false,
  tags: false,
  list: { filters: ['name', 'flavor_profile_id', 'enabled'] },
  show: { on: ['flavor'] },
  create: {},
  set: { on: ['flavor'] },
  unset: { on: ['flavor'] },
  delete: { on: ['flavor'] },
}
