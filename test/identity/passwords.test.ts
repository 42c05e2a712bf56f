import { expect, test } from 'vitest'
import { createPasswords, generatePassword } from '../../src/identity/passwords.ts'

test('argon2id, salted, and only the password fits', async () => {
  const passwords = createPasswords()
  const hash = await passwords.hash('correct horse')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await passwords.hash('correct horse')).not.toBe(hash)
  expect(await passwords.verify('correct horse', hash)).toBe(true)
  expect(await passwords.verify('correct horse ', hash)).toBe(false)
})

test('nobody, an empty one and one that is too long fit nothing, and throw nothing', async () => {
  const passwords = createPasswords()
  const hash = await passwords.hash('unusable')
  expect(await passwords.verify('anything', null)).toBe(false)
  expect(await passwords.verify('', hash)).toBe(false)
  expect(await passwords.verify('x'.repeat(4097), hash)).toBe(false)
})

test('a flood is refused, and what waits is asked whether it is still wanted', async () => {
  const passwords = createPasswords()
  const hash = await passwords.hash('right password')
  let looked = 0
  const answers = await Promise.allSettled(
    Array.from({ length: 200 }, () =>
      passwords.verify('right password', hash, () => {
        looked += 1
        if (looked > 4) throw new Error('no more')
      }),
    ),
  )
  const why = answers.map((each) =>
    each.status === 'fulfilled' ? String(each.value) : String(each.reason.message),
  )
  const count = (text: string): number => why.filter((each) => each === text).length
  expect([count('true'), count('no more')]).toEqual([4, 62])
  expect(count('Too many logins at once; try again.')).toBe(134)
  // All places were given back.
  expect(await passwords.verify('right password', hash)).toBe(true)
})

test('generated passwords need no quoting', () => {
  const made = new Set(Array.from({ length: 100 }, generatePassword))
  expect(made.size).toBe(100)
  for (const password of made) expect(password).toMatch(/^[A-Za-z0-9]{24}$/)
})
