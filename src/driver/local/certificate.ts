/**
 * The built-in certificate authority: RSA keys by node:crypto off the event loop, certificates
 * composed by node-forge, signed by node:crypto (forge's own signing blocks for 40 ms). Names and
 * extended usages are those of upstream's local generator
 * (octavia/certificates/generator/local.py).
 */
import {
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { promisify } from 'node:util'
import forge from 'node-forge'
import { present } from '../../system/assert.ts'
import { type Clock, timestamp } from '../../system/clock.ts'
import type { CertificateGenerator } from '../certificate.ts'
import { DriverError } from '../error.ts'

/** PEM. The key is secret. */
export interface CertificateAndKey {
  readonly certificate: string
  readonly key: string
}

/** PEM; the key may be encrypted. */
export interface CaFiles extends CertificateAndKey {
  readonly passphrase?: string
}

export interface GeneratorOptions {
  readonly ca: CaFiles
  /** How long a server certificate is valid. */
  readonly validity_s: number
}

/** The published types leave out what composes the signed part of a certificate. */
const forgePki = forge.pki as typeof forge.pki & {
  getTBSCertificate(cert: forge.pki.Certificate): forge.asn1.Asn1
}

const KEY_BITS = 2048
const DAY_MS = 86_400_000
/** Peers whose clock is a little behind must not find the certificate not yet valid. */
const CLOCK_TOLERANCE_MS = 300_000

/** Throws a DriverError when the CA's certificate and key cannot be used. */
export function createLocalCertificateGenerator(
  deps: { readonly clock: Clock },
  options: GeneratorOptions,
): CertificateGenerator {
  const issuer = openCa(options.ca)
  return {
    async issueServerCertificate(amphora_id) {
      const from = deps.clock.now()
      const issued = await issue(issuer, {
        commonName: amphora_id,
        from,
        until: from + options.validity_s * 1000,
        // The agent answers the controller and, as a peer, calls other amphorae.
        extensions: [...leafExtensions(['serverAuth', 'clientAuth']), dnsName(amphora_id)],
      })
      return {
        pem: `${issued.certificate}${issued.key}`,
        expiration: timestamp(from + options.validity_s * 1000),
      }
    },
  }
}

/** A self-signed CA which can sign leaf certificates only. */
export async function createCa(commonName: string, days: number): Promise<CertificateAndKey> {
  const { publicKey, privateKey } = await newKeyPair()
  const from = Date.now()
  const cert = compose(publicKey, {
    commonName,
    from,
    until: from + days * DAY_MS,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      { name: 'subjectKeyIdentifier' },
    ],
  })
  cert.setIssuer(cert.subject.attributes)
  return { certificate: signed(cert, privateKey), key: pemOf(privateKey) }
}

/** A certificate by which the controller proves to agents who it is. */
export function issueClientCertificate(
  ca: CaFiles,
  commonName: string,
  days: number,
): Promise<CertificateAndKey> {
  const from = Date.now()
  const extensions = leafExtensions(['clientAuth'])
  return issue(openCa(ca), { commonName, from, until: from + days * DAY_MS, extensions })
}

interface Issuer {
  readonly certificate: forge.pki.Certificate
  readonly key: KeyObject
  readonly keyIdentifier: string
}

interface CertificateContent {
  readonly commonName: string
  readonly from: number
  readonly until: number
  readonly extensions: readonly object[]
}

function openCa(ca: CaFiles): Issuer {
  try {
    const key = createPrivateKey({
      key: ca.key,
      ...(ca.passphrase === undefined ? {} : { passphrase: ca.passphrase }),
    })
    if (!new X509Certificate(ca.certificate).checkPrivateKey(key))
      throw new Error('the key is not that of the certificate')
    const certificate = forge.pki.certificateFromPem(ca.certificate)
    return { certificate, key, keyIdentifier: keyIdentifierOf(certificate) }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const passphrase = code === 'ERR_OSSL_BAD_DECRYPT' || code === 'ERR_MISSING_PASSPHRASE'
    throw new DriverError({
      operation: 'open-ca',
      subject: 'the certificate authority',
      // The cause is not quoted: OpenSSL's texts can hold parts of what it read.
      reason: passphrase
        ? 'its passphrase is missing or wrong'
        : 'its certificate or key cannot be used',
      hint: 'an RSA certificate and its private key, as PEM, are needed',
      retryable: false,
    })
  }
}

/** What the CA says its key identifier is, else the usual hash of its key (RFC 5280, 4.2.1.2). */
function keyIdentifierOf(certificate: forge.pki.Certificate): string {
  const extension = certificate.getExtension('subjectKeyIdentifier')
  const said = (extension as { subjectKeyIdentifier?: unknown } | null)?.subjectKeyIdentifier
  if (typeof said === 'string') return forge.util.hexToBytes(said)
  return certificate.generateSubjectKeyIdentifier().getBytes()
}

async function issue(issuer: Issuer, content: CertificateContent): Promise<CertificateAndKey> {
  const { publicKey, privateKey } = await newKeyPair()
  const authority = { name: 'authorityKeyIdentifier', keyIdentifier: issuer.keyIdentifier }
  const extensions = [...content.extensions, authority]
  const cert = compose(publicKey, { ...content, extensions })
  cert.setIssuer(issuer.certificate.subject.attributes)
  return { certificate: signed(cert, issuer.key), key: pemOf(privateKey) }
}

function leafExtensions(usages: readonly ('serverAuth' | 'clientAuth')[]): object[] {
  return [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', ...Object.fromEntries(usages.map((usage) => [usage, true])) },
    { name: 'subjectKeyIdentifier' },
  ]
}

function dnsName(value: string): object {
  return { name: 'subjectAltName', altNames: [{ type: 2, value }] }
}

/** Everything but issuer and signature. */
function compose(publicKey: KeyObject, content: CertificateContent): forge.pki.Certificate {
  const cert = forge.pki.createCertificate()
  cert.publicKey = forge.pki.publicKeyFromPem(
    publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  )
  cert.serialNumber = newSerial()
  cert.validity.notBefore = new Date(content.from - CLOCK_TOLERANCE_MS)
  cert.validity.notAfter = new Date(content.until)
  cert.setSubject([{ name: 'commonName', value: content.commonName }])
  cert.setExtensions([...content.extensions])
  return cert
}

/** 127 random bits: positive, and not starting with a zero byte, as DER wants it. */
function newSerial(): string {
  const bytes = randomBytes(16)
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes.toString('hex')
}

/** Writes the signature where forge's own `sign` would have put it. */
function signed(cert: forge.pki.Certificate, key: KeyObject): string {
  const algorithm = present(forge.pki.oids.sha256WithRSAEncryption, 'the OID of RSA with SHA-256')
  cert.signatureOid = algorithm
  cert.siginfo.algorithmOid = algorithm
  const content = forge.asn1.toDer(forgePki.getTBSCertificate(cert)).getBytes()
  cert.signature = sign('sha256', Buffer.from(content, 'binary'), key).toString('binary')
  return forge.pki.certificateToPem(cert).replaceAll('\r\n', '\n')
}

function newKeyPair(): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return promisify(generateKeyPair)('rsa', { modulusLength: KEY_BITS })
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
