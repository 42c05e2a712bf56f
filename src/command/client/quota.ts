import { quota } from '../../model/quota.ts'
import type { ClientTable } from './table.ts'

const LIMITS = [
  'load_balancer',
  'listener',
  'pool',
  'health_monitor',
  'member',
  'l7policy',
  'l7rule',
] as const

export const QUOTA: ClientTable = {
  command: 'quota',
  kind: 'quota',
  noun: 'quota',
  nouns: 'quotas',
  singular: 'quota',
  fields: quota.fields,
  names: {
    load_balancer: 'loadbalancer',
    health_monitor: 'healthmonitor',
    project_id: 'project',
  },
  references: { project_id: 'project' },
  switches: {},
  columns: ['project_id', ...LIMITS],
  rows: LIMITS,
  shapes: {},
  waits: false,
  tags: false,
  list: { filters: ['project_id'] },
  show: { on: ['project'] },
  set: {
    on: ['project'],
    prints: true,
    atLeastOne: [
      'healthmonitor',
      'listener',
      'loadbalancer',
      'member',
      'pool',
      'l7policy',
      'l7rule',
    ],
  },
  unset: { on: ['project'] },
  extra: ['defaults show', 'reset'],
}
