/** Both authorities, the controller's certificate and the key of heartbeats. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../../config/options.ts'
import type { Amphora } from '../../model/amphora.ts'
import { readTextIfExists } from '../../system/files.ts'
import { errorText } from '../../system/log.ts'
import { heartbeatKeyIn } from '../serve/data-folder.ts'
import { Doubtful, duration, type Finding, look, Wrong } from './finding.ts'

/** New ones have to reach every amphora before the old ones end. */
const CA_WARN_MS = 90 * 86_400_000
const HEARTBEAT_KEY_MIN = 16

export async function checkCertificates(config: Config, now: number): Promise<Finding[]> {
  const { certificates, controller_worker, haproxy_amphora, health_manager, DEFAULT } = config
  const made = (name: string): string => join(DEFAULT.data_dir, 'certs', name)
  const files = [
    ['CA of amphorae', certificates.ca_certificate ?? made('server_ca.pem')],
    ['CA of the controller', controller_worker.client_ca ?? made('client_ca.pem')],
    ["controller's certificate", haproxy_amphora.client_cert ?? made('client.pem')],
  ] as const
  const found = files.map(([what, path]) => look(what, () => timeLeft(path, now)))
  const authority = look('key of that CA', () => {
    const certificate = certificates.ca_certificate ?? made('server_ca.pem')
    const key = certificates.ca_private_key ?? certificate
    return belongs({ certificate, key, passphrase: certificates.ca_private_key_passphrase })
  })
  const key = look('key of heartbeats', () => {
    if (health_manager.heartbeat_key !== null) return 'in the configuration'
    const path = heartbeatKeyIn(DEFAULT.data_dir)
    if ((read(path) ?? '').trim().length >= HEARTBEAT_KEY_MIN) return ''
    throw new Wrong(
      `${path} holds no key: restore it from a backup; with another one no amphora is heard until it fails over`,
    )
  })
  const [first, ...more] = found
  return await Promise.all([...(first === undefined ? [] : [first]), authority, ...more, key])
}

function timeLeft(path: string, now: number): string {
  const text = read(path)
  if (text === undefined)
    throw new Wrong(
      `${path} is not there: restore it from a backup, or start octavia-lite serve where there are no amphorae yet`,
    )
  const until = endOf(path, text)
  if (until <= now)
    throw new Wrong(
      `${path} expired ${duration(now - until)} ago: no amphora can be reached; put a new one there`,
    )
  const left = `ends in ${duration(until - now)}`
  if (until - now < CA_WARN_MS)
    throw new Doubtful(`${path} ${left}: put a new one there and fail all load balancers over`)
  return left
}

interface Pair {
  readonly certificate: string
  readonly key: string
  readonly passphrase: string | null
}

/** Without it no amphora can be made. What OpenSSL says can quote what it read. */
function belongs({ certificate, key, passphrase }: Pair): string {
  const [ca, text] = [read(certificate), read(key)]
  if (ca === undefined || text === undefined)
    throw new Wrong(`${key} is not there: no amphora can be made; restore it from a backup`)
  const pem = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[^-]+-----END \1-----/.exec(text)?.[0] ?? ''
  try {
    const opened = createPrivateKey({ key: pem, ...(passphrase === null ? {} : { passphrase }) })
    if (new X509Certificate(ca).checkPrivateKey(opened)) return ''
  } catch {
    throw new Wrong(
      `${key} cannot be read as a key: no amphora can be made; see [certificates] ca_private_key and ca_private_key_passphrase`,
    )
  }
  throw new Wrong(`${key} is the key of another certificate than ${certificate}`)
}

function endOf(path: string, text: string): number {
  try {
    return Date.parse(new X509Certificate(text).validTo)
  } catch {
    throw new Wrong(`${path} is no certificate; restore it from a backup`)
  }
}

function read(path: string): string | undefined {
  try {
    return readTextIfExists(path)
  } catch (error) {
    throw new Wrong(`${path} cannot be read: ${errorText(error)}; run doctor as root`)
  }
}

/** Housekeeping renews them long before they end, so one that ends soon was not renewed. */
export function checkAmphoraCertificates(
  amphorae: readonly Amphora[],
  options: {
    readonly now: number
    readonly cert_expiry_buffer: number
    readonly cert_interval: number
  },
): Finding {
  const what = 'certificates of amphorae'
  const { now } = options
  const ends = amphorae.flatMap(({ id, cert_expiration: end }) =>
    end === null ? [] : [{ id, left_ms: Date.parse(`${end}Z`) - now }],
  )
  const [first] = ends.toSorted((a, b) => a.left_ms - b.left_ms)
  if (first === undefined) return { what, state: 'ok', text: 'none' }
  const over = ends.filter(({ left_ms }) => left_ms <= 0)
  const help = 'see octavia-lite jobs list for why they are not renewed, or fail them over'
  if (over.length > 0)
    return {
      ...{ what, state: 'fail' },
      text: `${over.length} ended, the first of amphora ${first.id}: ${help}`,
    }
  // A look after the buffer has begun, and then the time for the change itself.
  const due_ms = (options.cert_expiry_buffer - 2 * options.cert_interval) * 1000
  const late = ends.filter(({ left_ms }) => left_ms < due_ms)
  if (late.length > 0)
    return {
      ...{ what, state: 'warn' },
      text: `${late.length} should have been renewed, that of amphora ${first.id} ends in ${duration(first.left_ms)}: ${help}`,
    }
  return { what, state: 'ok', text: `${ends.length}, the first ends in ${duration(first.left_ms)}` }
}
