/** Where services are: Keystone's catalogue. Pure. */
import { DriverError } from '../error.ts'

export interface CatalogEntry {
  readonly type: string
  readonly name?: string
  readonly endpoints: readonly {
    readonly interface: string
    readonly region_id?: string | null
    readonly url: string
  }[]
}

/** A service, and which of its endpoints. */
export interface ServiceEndpoint {
  readonly type: string
  /** Best first; `internalURL` is `internal`. */
  readonly interfaces: readonly string[]
  /** null takes the first. */
  readonly region: string | null
  readonly name: string | null
  /** A URL instead of the catalogue's. */
  readonly override: string | null
}

/** Its URL, without a slash at its end. Throws DriverError. */
export function findEndpoint(
  catalog: readonly CatalogEntry[],
  { type, interfaces, region, name }: ServiceEndpoint,
): string {
  const endpoints = catalog
    .filter((entry) => entry.type === type && (name === null || entry.name === name))
    .flatMap((entry) => entry.endpoints)
    .filter((each) => region === null || each.region_id === region)
  for (const wanted of interfaces) {
    const found = endpoints.find((each) => each.interface === wanted.replace(/URL$/, ''))
    if (found !== undefined) return found.url.replace(/\/+$/, '')
  }
  throw new DriverError({
    operation: 'find-endpoint',
    subject: `service ${type}`,
    reason: `the catalogue has no ${interfaces.join(' or ')} endpoint of it`,
    hint: 'see openstack catalog list, and region and interface in the configuration',
    retryable: false,
  })
}

/** Version 3 of Keystone: its root, or the URL of another version, may be configured. */
export function identityUrl(url: string): string {
  return `${url.replace(/\/+$/, '').replace(/\/v(2\.0|3)$/, '')}/v3`
}
