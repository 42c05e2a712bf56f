/** CAs and certificates for mutual TLS in tests, by openssl. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestCa {
  readonly cert: string
  /** A key and a certificate for a name, PEM. */
  issue(name: string, usage: 'serverAuth' | 'clientAuth'): { cert: string; key: string }
  remove(): void
}

export function createTestCa(name: string): TestCa {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-ca-'))
  const at = (file: string): string => join(folder, file)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  )
  let serial = 0
  return {
    cert: readFileSync(at('ca.pem'), 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
    issue: (host, usage) => {
      serial++
      const ext = at(`${serial}.ext`)
      writeFileSync(ext, `subjectAltName=DNS:${host}\nextendedKeyUsage=${usage}\n`)
      openssl('req', ...newKey, '-keyout', at('key'), '-out', at('csr'), '-subj', `/CN=${host}`)
      openssl(
        'x509',
        '-req',
        '-in',
        at('csr'),
        '-CA',
        at('ca.pem'),
        '-CAkey',
        at('ca.key'),
        '-set_serial',
        String(serial),
        '-days',
        '2',
        '-extfile',
        ext,
        '-out',
        at('cert'),
      )
      return { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') }
    },
  }
}

function openssl(...args: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(['openssl', ...args])
  if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr.toString()}`)
}
