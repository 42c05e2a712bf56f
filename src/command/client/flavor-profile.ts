import { flavorProfile } from '../../model/flavor.ts'
import type { ClientTable } from './table.ts'

export const FLAVOR_PROFILE: ClientTable = {
  command: 'flavorprofile',
  kind: 'flavorprofile',
  noun: 'flavor profile',
  nouns: 'flavor profiles',
  singular: 'flavorprofile',
  fields: flavorProfile.fields,
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
