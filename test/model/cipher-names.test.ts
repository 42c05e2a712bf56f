import { expect, test } from 'vitest'
import { cipherFault } from '../../src/model/cipher-names.ts'

const OPENSSL = Bun.which('openssl')

const TAKEN = [
  ...['', 'HIGH', 'HIGH:!aNULL:!MD5', 'DEFAULT@SECLEVEL=1', 'ECDHE+AESGCM:-SHA1', 'ALL:@STRENGTH'],
  ...['NOBODY:ECDHE-RSA-AES256-GCM-SHA384', 'TLS_AES_128_GCM_SHA256'],
  'TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES128-GCM-SHA256',
]
test.each(TAKEN)('%j is taken', (text) => {
  expect(cipherFault(text)).toBeUndefined()
})

const REFUSED = [
  ...['B', 'nobody', '!aNULL', '-ALL', 'HIGH@SECLEVEL=9', 'HIGH@X', '_HIGH', 'HIGH:!', 'ECDHE+B'],
  'TLS_AES_128_GCM_SHA256:NOBODY',
]
test.each(REFUSED)('%j is refused', (text) => {
  expect(cipherFault(text)).not.toBeUndefined()
})

/** What OpenSSL itself says; it counts ciphers of TLS 1.3, which haproxy is given apart. */
const why = OPENSSL === null ? ' (needs openssl)' : ''
test.skipIf(OPENSSL === null).each([...TAKEN, ...REFUSED])(`openssl agrees on %j${why}`, (text) => {
  const older = text.split(':').filter((each) => each !== '' && !each.startsWith('TLS_'))
  if (older.length === 0) return
  const { exitCode } = Bun.spawnSync([OPENSSL ?? '', 'ciphers', older.join(':')])
  expect(exitCode === 0).toBe(cipherFault(text) === undefined)
})
