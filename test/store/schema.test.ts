/**
 * The schema of each released version is on record. A model that changes it needs a migration and a
 * new SCHEMA_VERSION; until version 1 is released, UPDATE_SCHEMA=1 writes its record anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SCHEMA_VERSION, schemaStatements } from '../../src/store/tables.ts'

test('a fresh database has the schema that is on record for its version', () => {
  const file = `${import.meta.dirname}/schemas/${SCHEMA_VERSION}.sql`
  const statements = schemaStatements().map((statement) => `${statement};\n`)
  if (process.env.UPDATE_SCHEMA === '1') writeFileSync(file, statements.join('\n'))
  expect(statements.join('\n')).toBe(readFileSync(file, 'utf8'))
})
