/**
 * The schema of each released version is on record. A model that changes it needs a migration and a
 * new SCHEMA_VERSION, whose record UPDATE_SCHEMA=1 writes; records of earlier versions stay.
 */
import { Database } from 'bun:sqlite'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../src/store/store.ts'
import { SCHEMA_VERSION, schemaStatements } from '../../src/store/tables.ts'

const RECORDS = `${import.meta.dirname}/schemas`

test('a fresh database has the schema that is on record for its version', () => {
  const file = `${RECORDS}/${SCHEMA_VERSION}.sql`
  const statements = schemaStatements().map((statement) => `${statement};\n`)
  if (process.env.UPDATE_SCHEMA === '1') writeFileSync(file, statements.join('\n'))
  expect(statements.join('\n')).toBe(readFileSync(file, 'utf8'))
})

/** Its schema, however it came about; without what SQLite keeps for itself. */
function contentOf(database: Database): unknown {
  const names =
    "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1, 2"
  return [database.query(names).all(), database.query('PRAGMA user_version').get()]
}

const versions = readdirSync(RECORDS).map((name) => Number(name.replace('.sql', '')))
test.each(versions.filter((version) => version < SCHEMA_VERSION))(
  'version %d, with rows, is brought to the same schema as a fresh one',
  (version) => {
    const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-schema-'))
    try {
      const path = join(folder, 'old.db')
      const old = new Database(path, { create: true })
      old.run(readFileSync(`${RECORDS}/${version}.sql`, 'utf8'))
      old.run("INSERT INTO identity_project (id, name, enabled) VALUES ('p', 'shop', 1)")
      old.run(`PRAGMA user_version = ${version}`)
      old.close()
      openStore(path).close()
      const fresh = new Database(':memory:')
      for (const statement of schemaStatements()) fresh.run(statement)
      fresh.run(`PRAGMA user_version = ${SCHEMA_VERSION}`)
      const migrated = new Database(path)
      expect(contentOf(migrated)).toEqual(contentOf(fresh))
      const kept = migrated.query('SELECT id, name FROM identity_project').all()
      expect(kept).toEqual([{ id: 'p', name: 'shop' }])
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
