/**
 * What a tree refers to, from where users keep it. Certificates and keys exist only inside the step
 * that sends them on: they are secret and never recorded.
 * Source: octavia/amphorae/drivers/haproxy/rest_api_driver.py, update_amphora_listeners.
 */
import { nameOf, type TlsReference, tlsReferences } from '../../dataplane/haproxy/certificates.ts'
import { servedListeners } from '../../dataplane/haproxy/served.ts'
import type { CertificateManager } from '../../driver/certificate-manager.ts'
import {
  expiredText,
  type Reading,
  readAuthority,
  readCertificate,
  readRevocations,
} from '../../driver/read-certificate.ts'
import type { TlsMaterial } from '../../model/tls.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import type { Context } from '../world.ts'

/** `tree` is the given one without what is left out; `tls` is all that it refers to. */
export interface ResolvedTls {
  readonly tree: LoadBalancerTree
  readonly tls: TlsMaterial
  /** By listener that cannot be served, why. */
  readonly unusable: ReadonlyMap<string, string>
  /** Sentences: what should be renewed. */
  readonly notes: readonly string[]
}

/**
 * A listener is left out when something that it or its pools refer to is not there or cannot be
 * used. What has expired since it was named goes on serving, since its clients may still take it.
 * A DriverError, when the store cannot be asked: then nothing that serves is taken away.
 */
export async function resolveTls(
  { world }: Context,
  whole: LoadBalancerTree,
): Promise<ResolvedTls> {
  const read = createReader(world.certificateManager)
  const tls = { certificates: new Map(), authorities: new Map(), revocations: new Map() }
  const unusable = new Map<string, string>()
  const notes = new Set<string>()
  for (const listener of servedListeners(whole)) {
    const problems: string[] = []
    for (const reference of tlsReferences(whole, listener)) {
      const reading = await read(reference)
      if (!reading.ok) {
        problems.push(`${nameOf(reference)} ${reading.problem}`)
        continue
      }
      tls[reference.kind].set(reference.ref, reading.pem)
      if (reading.valid_until_ms < world.clock.now()) notes.add(expired(reference, reading))
    }
    if (problems.length > 0) unusable.set(listener.id, problems.join(', '))
  }
  const listeners = whole.listeners.filter(({ id }) => !unusable.has(id))
  return { tree: { ...whole, listeners }, tls, unusable, notes: [...notes] }
}

function expired(reference: TlsReference, reading: Reading & { readonly ok: true }): string {
  return `${nameOf(reference)} ${expiredText(reading.valid_until_ms)} and goes on being used: renew it`
}

/** Asks the store once for each. */
function createReader(manager: CertificateManager): (which: TlsReference) => Promise<Reading> {
  const known = new Map<string, Reading>()
  return async ({ kind, ref }) => {
    const key = `${kind} ${ref}`
    const reading = known.get(key) ?? (await find(manager, { kind, ref }))
    known.set(key, reading)
    return reading
  }
}

/** On this service's own right: the request that named it was checked against its caller. */
async function find(manager: CertificateManager, { kind, ref }: TlsReference): Promise<Reading> {
  const absent = { ok: false, problem: 'is not there or may not be read' } as const
  if (kind === 'certificates') {
    const material = await manager.findCertificate(ref, null)
    return material === undefined ? absent : readCertificate(material)
  }
  const text = await manager.findSecret(ref, null)
  if (text === undefined) return absent
  return kind === 'authorities' ? readAuthority(text) : readRevocations(text)
}
