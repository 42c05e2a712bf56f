import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createLocalCertificateManager } from '../../../src/driver/local/certificate-manager.ts'

const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-certificates-'))
afterAll(() => rmSync(folder, { recursive: true }))
const manager = createLocalCertificateManager({ storage_path: join(folder) })

test('a certificate is there with its key, a secret without one', async () => {
  writeFileSync(join(folder, 'a.crt'), 'CERTIFICATE')
  expect(await manager.findCertificate('a', null)).toBeUndefined()
  expect(await manager.findSecret('a', null)).toBe('CERTIFICATE')
  writeFileSync(join(folder, 'a.key'), 'KEY')
  const parts = {
    form: 'parts',
    certificate: Buffer.from('CERTIFICATE'),
    private_key: Buffer.from('KEY'),
    passphrase: null,
    intermediates: null,
  }
  expect(await manager.findCertificate('a', null)).toEqual(parts)
  writeFileSync(join(folder, 'a.int'), 'CHAIN')
  writeFileSync(join(folder, 'a.pass'), 'open sesame\n')
  expect(await manager.findCertificate('a', null)).toEqual({
    ...parts,
    passphrase: 'open sesame',
    intermediates: Buffer.from('CHAIN'),
  })
})

test.each(['b', '', '.', '../a', 'x/../a', '/etc/passwd', 'a\0', 'https://host/v1/containers/a'])(
  '%j is no name in the folder',
  async (ref) => {
    writeFileSync(join(folder, '.crt'), 'hidden')
    expect(await manager.findSecret(ref, null)).toBeUndefined()
    expect(await manager.findCertificate(ref, null)).toBeUndefined()
  },
)
