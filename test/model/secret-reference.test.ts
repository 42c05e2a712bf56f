import { expect, test } from 'vitest'
import { parseReference } from '../../src/model/secret-reference.ts'

const ID = '0aa0bb1c-1111-4222-8333-444455556666'

test.each([
  [`http://127.0.0.1:9876/key-manager/v1/secrets/${ID}`, 'secrets'],
  [`https://lb.example.org/key-manager/v1/containers/${ID}`, 'containers'],
  [`http://[::1]:9311/v1/secrets/${ID}`, 'secrets'],
  [`http://h/v1/secrets/${ID}/`, 'secrets'],
  [`http://h/v1/secrets/${ID.toUpperCase()}`, 'secrets'],
] as const)('%s', (ref, kind) => {
  expect(parseReference(ref)).toEqual({ kind, id: ID })
})

test.each([
  '',
  ID,
  `secrets/${ID}`,
  `ftp://h/v1/secrets/${ID}`,
  `http://h/v1/orders/${ID}`,
  `http://h/v2/secrets/${ID}`,
  'http://h/v1/secrets/../../etc/passwd',
  `http://h/v1/secrets/${ID}/payload`,
  `http://h/v1/secrets/${ID}?x=1`,
  `http://h/v1/secrets/${ID}\nhttp://h/v1/secrets/${ID}`,
  'http://h/v1/secrets/0aa0bb1c-1111-4222-8333-44445555666',
])('%j is none', (ref) => {
  expect(parseReference(ref)).toBeUndefined()
})
