import { expect, test } from 'vitest'
import { cipherFault } from '../../src/model/cipher-names.ts'
import { createRandom } from '../fuzz/random.ts'

const OPENSSL = Bun.which('openssl')

const TAKEN = [
  ...['', 'HIGH', 'HIGH:!aNULL:!MD5', 'DEFAULT@SECLEVEL=1', 'ECDHE+AESGCM:-SHA1', 'ALL:@STRENGTH'],
  ...['NOBODY:ECDHE-RSA-AES256-GCM-SHA384', 'TLS_AES_128_GCM_SHA256'],
  'TLS13-CHACHA20-POLY1305-SHA256:TLS13-AES-128-CCM-8-SHA256',
  'TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES128-GCM-SHA256',
]
test.each(TAKEN)('%j is taken', (text) => {
  expect(cipherFault(text)).toBeUndefined()
})

const REFUSED = [
  ...['B', 'nobody', '!aNULL', '-ALL', 'HIGH@SECLEVEL=9', 'HIGH@X', '_HIGH', 'HIGH:!', 'ECDHE+B'],
  ...[
    'TLS_AES_128_GCM_SHA256:NOBODY',
    'TLS13-NOBODY',
    'HIGH:!ALL',
    'ALL:-ALL',
    'AES128-SHA:!kRSA',
    '!ALL:HIGH',
  ],
  ...['ECDHE:!ECDH', 'DEFAULT:!DEFAULT:!ALL', 'AES:-AES:!SHA'],
]
test.each(REFUSED)('%j is refused', (text) => {
  expect(cipherFault(text)).not.toBeUndefined()
})

/** What OpenSSL itself says; it counts ciphers of TLS 1.3, which haproxy is given apart. */
const why = OPENSSL === null ? ' (needs openssl)' : ''
test.skipIf(OPENSSL === null).each([...TAKEN, ...REFUSED])(`openssl agrees on %j${why}`, (text) => {
  const older = text.split(':').filter((each) => each !== '' && !/^TLS(_|13-)/.test(each))
  if (older.length === 0) return
  const { exitCode } = Bun.spawnSync([OPENSSL ?? '', 'ciphers', older.join(':')])
  expect(exitCode === 0).toBe(cipherFault(text) === undefined)
})

const WORDS = [
  ...['ALL', 'COMPLEMENTOFALL', 'COMPLEMENTOFDEFAULT', 'HIGH', 'eNULL', 'NULL', 'aNULL', 'kRSA'],
  ...['aRSA', 'RSA', 'kDHE', 'kEDH', 'DH', 'DHE', 'EDH', 'ADH', 'kECDHE', 'kEECDH', 'ECDH'],
  ...['ECDHE', 'EECDH', 'AECDH', 'aDSS', 'DSS', 'aECDSA', 'ECDSA', 'TLSv1.2', 'TLSv1.0', 'TLSv1'],
  ...['SSLv3', 'AES128', 'AES256', 'AES', 'AESGCM', 'AESCCM', 'AESCCM8', 'ARIA128', 'ARIA256'],
  ...['ARIA', 'ARIAGCM', 'CAMELLIA128', 'CAMELLIA256', 'CAMELLIA', 'CHACHA20', 'MD5', 'SHA1'],
  ...['SHA', 'SHA256', 'SHA384', 'kPSK', 'aPSK', 'kECDHEPSK', 'kDHEPSK', 'kRSAPSK', 'PSK'],
  ...[
    'kSRP',
    'aSRP',
    'SRP',
    'CBC',
    'FIPS',
    'SUITEB128',
    'DEFAULT',
    'NOBODY',
    'LOW',
    'PSK-NULL-SHA',
  ],
  ...['ECDHE-RSA-AES256-GCM-SHA384', 'AES128-SHA', 'ADH-AES128-SHA', 'TLS_RSA', '@STRENGTH'],
]

const ROUNDS = 300
test.skipIf(OPENSSL === null)(`openssl agrees on ${ROUNDS} random strings${why}`, () => {
  const random = createRandom(20_261_129)
  for (let round = 0; round < ROUNDS; round++) {
    const element = (): string => {
      const words = Array.from({ length: random.pick([1, 1, 1, 2]) }, () => random.pick(WORDS))
      return `${random.pick(['', '', '!', '-', '+'])}${words.join('+')}`
    }
    const text = Array.from({ length: random.between(1, 4) }, element).join(':')
    if (text.includes('@') && !/(^|:)@STRENGTH(:|$)/.test(text)) continue
    // One that begins with a dash would be an option of the program.
    const { exitCode } = Bun.spawnSync([OPENSSL ?? '', 'ciphers', text.replace(/^-/, ':-')])
    expect([text, cipherFault(text) === undefined]).toEqual([text, exitCode === 0])
  }
})
