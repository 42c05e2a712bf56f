import { Database } from 'bun:sqlite'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { writerOver } from '../../src/store/dialect.ts'
import { isStoreOutage } from '../../src/store/failure.ts'

test('a full database is an outage, rolls back, and works again when there is room', async () => {
  const database = new Database(':memory:', { strict: true })
  database.run('CREATE TABLE note (text TEXT)')
  database.run('PRAGMA max_page_count = 20')
  const db = writerOver<{ note: { text: string } }>(database).db
  const write = (size: number) =>
    db.transaction().execute(async (tx) => {
      await tx.insertInto('note').values({ text: 'small' }).execute()
      await tx
        .insertInto('note')
        .values({ text: 'x'.repeat(size) })
        .execute()
    })
  const error: unknown = await write(200_000).catch((caught) => caught)
  expect(isStoreOutage(error), String(error)).toBe(true)
  expect(await db.selectFrom('note').selectAll().execute()).toEqual([])
  await write(10)
  expect(await db.selectFrom('note').selectAll().execute()).toHaveLength(2)
})

test('an error of a statement is no outage', async () => {
  const database = new Database(':memory:', { strict: true })
  database.run('CREATE TABLE note (text TEXT UNIQUE NOT NULL) STRICT')
  const db = writerOver<{ note: { text: string } }>(database).db
  for (const text of ['insert into note values (null)', 'select * from nothing']) {
    const error: unknown = await sql
      .raw(text)
      .execute(db)
      .catch((caught) => caught)
    expect(error).toBeInstanceOf(Error)
    expect(isStoreOutage(error), text).toBe(false)
  }
})

test.each(['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_BUSY'])('%s is an outage', (code) => {
  expect(isStoreOutage(Object.assign(new Error('no'), { code }))).toBe(true)
})

test.each([
  new Error('no code'),
  Object.assign(new Error('other'), { code: 'SQLITE_CONSTRAINT_UNIQUE' }),
  Object.assign(new Error('other'), { code: 'SQLITE_FULLER' }),
  'SQLITE_FULL',
])('%s is none', (error) => {
  expect(isStoreOutage(error)).toBe(false)
})
