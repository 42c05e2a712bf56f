import { field, integer, text } from '../../model/field.ts'
import type { ClientTable } from './table.ts'

const limit = (nouns: string) =>
  field(integer(-1), { help: `How many ${nouns}; -1 is no limit.`, nullable: true })

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
  fields: {
    project_id: field(text({ max: 36 }), { help: 'The project.', writable: 'never' }),
    load_balancer: limit('load balancers'),
    listener: limit('listeners'),
    pool: limit('pools'),
    health_monitor: limit('health monitors'),
    member: limit('members'),
    l7policy: limit('L7 policies'),
    l7rule: limit('L7 rules'),
  },
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
