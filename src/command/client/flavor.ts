import { flavor } from '../../model/flavor.ts'
import type { ClientTable } from './table.ts'

export const FLAVOR: ClientTable = {
  command: 'flavor',
  kind: 'flavor',
  noun: 'flavor',
  nouns: 'flavors',
  singular: 'flavor',
  fields: flavor.fields,
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
