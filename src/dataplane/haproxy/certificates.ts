/**
 * The files by which haproxy gets certificates: which a tree refers to, how they are named, what is
 * in them. A name is the hash of the content, so that another content never takes the place of one
 * that a running haproxy may have to read again. Pure.
 */
import { createHash } from 'node:crypto'
import type { Listener } from '../../model/listener.ts'
import type { TlsMaterial } from '../../model/tls.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { present } from '../../system/assert.ts'
import type { Rendering } from './facts.ts'
import { servedListeners, terminatesTls, usedPools } from './served.ts'

export interface TlsReference {
  readonly kind: keyof TlsMaterial
  readonly ref: string
}

const NOUN = {
  certificates: 'certificate',
  authorities: 'CA certificate',
  revocations: 'revocation list',
} as const satisfies Record<keyof TlsMaterial, string>

/** For sentences. */
export function nameOf({ kind, ref }: TlsReference): string {
  return `the ${NOUN[kind]} ${ref}`
}

/** What must be there for a listener to be served, its pools included. */
export function tlsReferences(tree: LoadBalancerTree, listener: Listener): readonly TlsReference[] {
  const pools = usedPools(tree, listener).filter((pool) => pool.tls_enabled)
  const own = terminatesTls(listener)
    ? [
        ...serverCertificates(listener).map((ref) => reference('certificates', ref)),
        reference('authorities', listener.client_ca_tls_container_ref),
        listener.client_ca_tls_container_ref !== null &&
          reference('revocations', listener.client_crl_container_ref),
      ]
    : []
  const ofPools = pools.flatMap((pool) => [
    reference('certificates', pool.tls_container_ref),
    reference('authorities', pool.ca_tls_container_ref),
    pool.ca_tls_container_ref !== null && reference('revocations', pool.crl_container_ref),
  ])
  return [...own, ...ofPools].filter((each) => each !== false)
}

function reference(kind: keyof TlsMaterial, ref: string | null): TlsReference | false {
  return ref !== null && { kind, ref }
}

/** The default one first: it is shown to clients that name no host, or one that nobody knows. */
function serverCertificates(listener: Listener): readonly string[] {
  const { default_tls_container_ref: first, sni_container_refs } = listener
  return [...new Set([...(first === null ? [] : [first]), ...sni_container_refs])]
}

export interface CertificateFile {
  readonly name: string
  /** Secret where there is a key in it. */
  readonly content: string
}

/** All files of a load balancer, each once; lists come after what they name. */
export function certificateFiles(rendering: Rendering): readonly CertificateFile[] {
  const { tree, tls } = rendering
  const files = new Map<string, string>()
  const lists: CertificateFile[] = []
  for (const listener of servedListeners(tree)) {
    for (const { kind, ref } of tlsReferences(tree, listener)) {
      const content = contentIn(tls[kind], ref)
      files.set(fileName(content), content)
    }
    if (!terminatesTls(listener)) continue
    const names = serverCertificates(listener).map((ref) => fileNameIn(tls.certificates, ref))
    const paths = names.map((name) => `${certificatePath(rendering, name)}\n`)
    lists.push({ name: crtListName(listener), content: paths.join('') })
  }
  return [...[...files].map(([name, content]) => ({ name, content })), ...lists]
}

/** What haproxy's complaints are about: by listener, the references whose files they name. */
export function refusedReferences(
  { tree, tls }: Rendering,
  complaints: string,
): ReadonlyMap<string, readonly TlsReference[]> {
  const alerts = complaints.split('\n').filter((each) => each.includes('[ALERT]'))
  const refused = new Map<string, readonly TlsReference[]>()
  for (const listener of servedListeners(tree)) {
    const meant = tlsReferences(tree, listener).filter(({ kind, ref }) => {
      const name = fileNameIn(tls[kind], ref)
      return alerts.some((alert) => alert.includes(`/${name}`))
    })
    if (meant.length > 0) refused.set(listener.id, meant)
  }
  return refused
}

export function crtListName(listener: Listener): string {
  return `${listener.id}.pem`
}

/** SHA-1 because upstream's names are; nothing depends on its strength. */
function fileName(content: string): string {
  return `${createHash('sha1').update(content).digest('hex')}.pem`
}

export function fileNameIn(material: ReadonlyMap<string, string>, ref: string): string {
  return fileName(contentIn(material, ref))
}

/** A certificate that is missing here would silently turn off what it is for. */
function contentIn(material: ReadonlyMap<string, string>, ref: string): string {
  return present(material.get(ref), `what the reference ${ref} leads to`)
}

export function certificatePath({ tree, options }: Rendering, name: string): string {
  return `${options.base_cert_dir}/${tree.id}/${name}`
}
