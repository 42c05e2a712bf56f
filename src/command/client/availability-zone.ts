import { availabilityZone } from '../../model/availability-zone.ts'
import type { ClientTable } from './table.ts'

/** Its name is what requests and paths call it; it has no id. */
export const AVAILABILITY_ZONE: ClientTable = {
  command: 'availabilityzone',
  kind: 'availabilityzone',
  noun: 'availability zone',
  nouns: 'availability zones',
  singular: 'availability_zone',
  fields: availabilityZone.fields,
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
