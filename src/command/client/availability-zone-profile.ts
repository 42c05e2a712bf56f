import { availabilityZoneProfile } from '../../model/availability-zone.ts'
import type { ClientTable } from './table.ts'

export const AVAILABILITY_ZONE_PROFILE: ClientTable = {
  command: 'availabilityzoneprofile',
  kind: 'availabilityzoneprofile',
  noun: 'availability zone profile',
  nouns: 'availability zone profiles',
  singular: 'availability_zone_profile',
  fields: availabilityZoneProfile.fields,
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
