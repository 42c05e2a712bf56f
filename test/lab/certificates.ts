/** CAs and certificates for TLS in tests, by openssl. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** PEM. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
  readonly serial: number
}

export interface TestCa {
  readonly cert: string
  /** A key and a certificate for a name; `weak`: a key which no TLS library takes any more. */
  issue(
    name: string,
    usage: 'serverAuth' | 'clientAuth',
    how?: { readonly weak?: boolean },
  ): TestCertificate
  /** A list which revokes these. */
  revoke(certificates: readonly TestCertificate[]): string
  remove(): void
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const WEAK_KEY = ['-newkey', 'rsa:1024', '-nodes']
/** As `openssl ca` reads it: what is in force is in the index. */
const CRL_SETTINGS = '[ca]\ndefault_ca=all\n[all]\ndatabase=index\ndefault_md=sha256\n'

export function createTestCa(name: string): TestCa {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-ca-'))
  const at = (file: string): string => join(folder, file)
  const read = (file: string): string => readFileSync(at(file), 'utf8')
  const openssl = (...args: readonly string[]): void => run(folder, args)
  openssl(
    ...['req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.pem'],
    ...['-days', '2', '-subj', `/CN=${name}`],
  )
  let serial = 0
  return {
    cert: read('ca.pem'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
    issue: (host, usage, how = {}) => {
      serial++
      writeFileSync(at('ext'), `subjectAltName=DNS:${host}\nextendedKeyUsage=${usage}\n`)
      openssl(
        'req',
        ...(how.weak ? WEAK_KEY : NEW_KEY),
        '-keyout',
        'key',
        '-out',
        'csr',
        '-subj',
        `/CN=${host}`,
      )
      openssl(
        ...['x509', '-req', '-in', 'csr', '-CA', 'ca.pem', '-CAkey', 'ca.key'],
        ...['-set_serial', String(serial), '-days', '2', '-extfile', 'ext', '-out', 'crt'],
      )
      return { cert: read('crt'), key: read('key'), serial }
    },
    revoke: (certificates) => {
      const lines = certificates.map(
        (revoked) =>
          `R\t491231235959Z\t200101000000Z\t${hex(revoked.serial)}\tunknown\t/CN=${revoked.serial}\n`,
      )
      writeFileSync(at('index'), lines.join(''))
      writeFileSync(at('crl.cnf'), CRL_SETTINGS)
      openssl(
        ...['ca', '-config', 'crl.cnf', '-gencrl', '-crldays', '2', '-out', 'crl'],
        ...['-cert', 'ca.pem', '-keyfile', 'ca.key'],
      )
      return read('crl')
    },
  }
}

/** An even number of digits, as the index has it. */
function hex(serial: number): string {
  const digits = serial.toString(16).toUpperCase()
  return digits.length % 2 === 0 ? digits : `0${digits}`
}

function run(cwd: string, args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(['openssl', ...args], { cwd })
  if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr.toString()}`)
}
