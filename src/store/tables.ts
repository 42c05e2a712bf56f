/**
 * The tables: one for every resource, derived from its fields, and those that only the system
 * knows, written here. A fresh database is made from this; migrations bring an older one to the
 * same schema.
 */
import { amphora } from '../model/amphora.ts'
import { availabilityZone, availabilityZoneProfile } from '../model/availability-zone.ts'
import { type ColumnKind, type Fields, keyOf, type Resource } from '../model/field.ts'
import { flavor, flavorProfile } from '../model/flavor.ts'
import { healthMonitor } from '../model/health-monitor.ts'
import { l7policy } from '../model/l7policy.ts'
import { l7rule } from '../model/l7rule.ts'
import { listener } from '../model/listener.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { member } from '../model/member.ts'
import { pool } from '../model/pool.ts'
import { quota } from '../model/quota.ts'

/** Rises with every migration. */
export const SCHEMA_VERSION = 3

export const RESOURCES = [
  loadBalancer,
  pool,
  listener,
  member,
  healthMonitor,
  l7policy,
  l7rule,
  amphora,
  flavor,
  flavorProfile,
  availabilityZone,
  availabilityZoneProfile,
  quota,
] as const

/** Column to the row it refers to: children before parents cannot be deleted, or the reverse. */
const REFERENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  load_balancer: { flavor_id: 'flavor (id)', availability_zone: 'availability_zone (name)' },
  flavor: { flavor_profile_id: 'flavor_profile (id)' },
  availability_zone: { availability_zone_profile_id: 'availability_zone_profile (id)' },
  listener: { loadbalancer_id: 'load_balancer (id)', default_pool_id: 'pool (id)' },
  pool: { loadbalancer_id: 'load_balancer (id)' },
  member: { pool_id: 'pool (id)' },
  health_monitor: { pool_id: 'pool (id)' },
  l7policy: { listener_id: 'listener (id)', redirect_pool_id: 'pool (id)' },
  l7rule: { l7policy_id: 'l7policy (id)' },
  amphora: { loadbalancer_id: 'load_balancer (id)' },
}

const SQL_TYPE: Readonly<Record<ColumnKind, string>> = {
  text: 'TEXT',
  integer: 'INTEGER',
  real: 'REAL',
  boolean: 'INTEGER',
  json: 'TEXT',
}

function tableOf(resource: Resource<Fields>): string {
  const columns = Object.entries(resource.fields).map(([name, { type, options }]) => {
    const nullable = options.nullable === true
    const target = REFERENCES[resource.table]?.[name]
    return [
      `  ${name} ${SQL_TYPE[type.column]}`,
      name === keyOf(resource) ? ' PRIMARY KEY' : '',
      nullable ? '' : ' NOT NULL',
      type.column === 'boolean' ? ` CHECK (${name} IN (0, 1))` : '',
      target === undefined ? '' : ` REFERENCES ${target}`,
    ].join('')
  })
  return `CREATE TABLE ${resource.table} (\n${columns.join(',\n')}\n) STRICT, WITHOUT ROWID`
}

/** What lists filter and sort by, and what trees are loaded by. */
const INDEXES = [
  'CREATE INDEX load_balancer_project ON load_balancer (project_id, created_at, id)',
  'CREATE INDEX load_balancer_order ON load_balancer (created_at, id)',
  'CREATE INDEX load_balancer_status ON load_balancer (provisioning_status)',
  'CREATE INDEX listener_parent ON listener (loadbalancer_id)',
  'CREATE INDEX listener_project ON listener (project_id, created_at, id)',
  'CREATE INDEX listener_pool ON listener (default_pool_id)',
  'CREATE INDEX pool_parent ON pool (loadbalancer_id)',
  'CREATE INDEX pool_project ON pool (project_id, created_at, id)',
  'CREATE UNIQUE INDEX member_address ON member (pool_id, address, protocol_port)',
  'CREATE INDEX member_project ON member (project_id, created_at, id)',
  'CREATE UNIQUE INDEX health_monitor_pool ON health_monitor (pool_id)',
  'CREATE INDEX health_monitor_project ON health_monitor (project_id, created_at, id)',
  'CREATE INDEX l7policy_parent ON l7policy (listener_id, position)',
  'CREATE INDEX l7policy_pool ON l7policy (redirect_pool_id)',
  'CREATE INDEX l7policy_project ON l7policy (project_id, created_at, id)',
  'CREATE INDEX l7rule_parent ON l7rule (l7policy_id)',
  'CREATE INDEX l7rule_project ON l7rule (project_id, created_at, id)',
  'CREATE INDEX amphora_parent ON amphora (loadbalancer_id)',
  'CREATE UNIQUE INDEX flavor_name ON flavor (name)',
  'CREATE INDEX flavor_parent ON flavor (flavor_profile_id)',
  'CREATE INDEX availability_zone_parent ON availability_zone (availability_zone_profile_id)',
  'CREATE INDEX load_balancer_flavor ON load_balancer (flavor_id)',
  'CREATE INDEX load_balancer_zone ON load_balancer (availability_zone)',
  // The engine looks often, and jobs that are over pile up until they are cleaned.
  'CREATE INDEX job_open ON job (sequence) WHERE finished_ms IS NULL',
  'CREATE INDEX job_open_of ON job (load_balancer_id, finished_ms, sequence)',
  'CREATE INDEX job_load_balancer ON job (load_balancer_id, sequence)',
] as const

/**
 * Tables of the system. Times of jobs are milliseconds since the epoch: durations are made of them.
 */
const SYSTEM_TABLES = [
  `CREATE TABLE job (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  flow TEXT NOT NULL,
  load_balancer_id TEXT,
  input TEXT NOT NULL,
  status TEXT NOT NULL,
  error TEXT,
  request_id TEXT,
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  finished_ms INTEGER
) STRICT`,
  `CREATE TABLE job_step (
  job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  result TEXT,
  error TEXT,
  started_ms INTEGER NOT NULL,
  finished_ms INTEGER,
  PRIMARY KEY (job_id, position)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE listener_statistics (
  listener_id TEXT NOT NULL,
  amphora_id TEXT NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  active_connections INTEGER NOT NULL,
  total_connections INTEGER NOT NULL,
  request_errors INTEGER NOT NULL,
  PRIMARY KEY (listener_id, amphora_id)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE amphora_health (
  amphora_id TEXT PRIMARY KEY,
  last_update_ms INTEGER NOT NULL,
  busy INTEGER NOT NULL DEFAULT 0 CHECK (busy IN (0, 1)),
  seq INTEGER NOT NULL DEFAULT -1
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE vrrp_group (
  load_balancer_id TEXT PRIMARY KEY REFERENCES load_balancer (id),
  advert_int REAL NOT NULL,
  auth_pass TEXT NOT NULL
) STRICT, WITHOUT ROWID`,
] as const

/** The built-in identity; rows are described in identity.ts. `user` is a reserved word of SQL. */
const IDENTITY_TABLES = [
  `CREATE TABLE identity_project (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE identity_user (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  default_project_id TEXT REFERENCES identity_project (id),
  token_version INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE role_assignment (
  user_id TEXT NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
  project_id TEXT NOT NULL REFERENCES identity_project (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  PRIMARY KEY (user_id, project_id, role)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE application_credential (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT,
  user_id TEXT NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
  project_id TEXT NOT NULL REFERENCES identity_project (id) ON DELETE CASCADE,
  roles TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  unrestricted INTEGER NOT NULL CHECK (unrestricted IN (0, 1)),
  expires_ms INTEGER,
  UNIQUE (user_id, name)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE revoked_token (
  audit_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  'CREATE TABLE identity_version (version INTEGER NOT NULL) STRICT',
  'INSERT INTO identity_version (version) VALUES (0)',
  'CREATE INDEX role_assignment_project ON role_assignment (project_id)',
  'CREATE INDEX application_credential_project ON application_credential (project_id)',
  'CREATE INDEX revoked_token_user ON revoked_token (user_id)',
  'CREATE INDEX revoked_token_expiry ON revoked_token (expires_ms)',
] as const

/** The built-in store of secrets; rows are described in secrets.ts. */
const SECRET_TABLES = [
  `CREATE TABLE secret (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  creator_id TEXT,
  name TEXT NOT NULL,
  secret_type TEXT NOT NULL,
  algorithm TEXT,
  bit_length INTEGER,
  mode TEXT,
  expires_at TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  content_type TEXT,
  key_id TEXT,
  sealed BLOB
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE secret_container (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  creator_id TEXT,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE secret_container_part (
  container_id TEXT NOT NULL REFERENCES secret_container (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  secret_id TEXT NOT NULL REFERENCES secret (id) ON DELETE CASCADE,
  PRIMARY KEY (container_id, name)
) STRICT, WITHOUT ROWID`,
  'CREATE TABLE secret_key (id TEXT NOT NULL) STRICT',
  'CREATE INDEX secret_project ON secret (project_id, created_at, id)',
  'CREATE INDEX secret_key_of ON secret (key_id)',
  'CREATE INDEX secret_container_project ON secret_container (project_id, created_at, id)',
  'CREATE INDEX secret_container_part_of ON secret_container_part (secret_id)',
] as const

/** Every statement that makes a fresh database. */
export function schemaStatements(): readonly string[] {
  return [
    ...RESOURCES.map((resource) => tableOf(resource)),
    ...SYSTEM_TABLES,
    ...IDENTITY_TABLES,
    ...SECRET_TABLES,
    ...INDEXES,
  ]
}

export interface JobRow {
  sequence: number
  id: string
  flow: string
  load_balancer_id: string | null
  /** JSON. */
  input: string
  status: string
  error: string | null
  request_id: string | null
  created_ms: number
  started_ms: number | null
  finished_ms: number | null
}

export interface JobStepRow {
  job_id: string
  position: number
  name: string
  status: string
  attempts: number
  /** JSON. */
  result: string | null
  error: string | null
  started_ms: number
  finished_ms: number | null
}

export interface ListenerStatisticsRow {
  listener_id: string
  amphora_id: string
  bytes_in: number
  bytes_out: number
  active_connections: number
  total_connections: number
  request_errors: number
}

export interface AmphoraHealthRow {
  amphora_id: string
  last_update_ms: number
  busy: number
  /** Of the newest heartbeat; -1 before any. What is not above it is a replay. */
  seq: number
}
