/**
 * What brings the schema of one version to that of the next, under the number of the new version.
 * What was released here is never changed, only added to: databases have run it. It is written out
 * and not taken from tables.ts, which goes on changing.
 */
export const MIGRATIONS: Readonly<Record<number, readonly string[]>> = {
  2: [
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
  ],
  3: [
    `CREATE TABLE vrrp_group (
  load_balancer_id TEXT PRIMARY KEY REFERENCES load_balancer (id),
  advert_int REAL NOT NULL,
  auth_pass TEXT NOT NULL
) STRICT, WITHOUT ROWID`,
  ],
}
