import type { ClientTable } from './table.ts'

export const PROVIDER: ClientTable = {
  command: 'provider',
  kind: 'provider',
  noun: 'provider',
  nouns: 'providers',
  singular: 'provider',
  fields: {},
  names: {},
  references: {},
  switches: {},
  columns: ['name', 'description'],
  rows: ['name', 'description'],
  shapes: {},
  waits: false,
  tags: false,
  list: { filters: [] },
  extra: ['capability list'],
}
