/** How listeners and pools name secrets: by a URL, whose host is of no importance. Pure. */
import { parseUuid } from '../system/ids.ts'

export interface Reference {
  readonly kind: 'secrets' | 'containers'
  readonly id: string
}

const REFERENCE =
  /^https?:\/\/[^/\s]+\/(?:[^?#\s]*\/)?v1\/(secrets|containers)\/([0-9A-Fa-f-]{36})\/?$/

export function parseReference(ref: string): Reference | undefined {
  const [, kind, uuid = ''] = REFERENCE.exec(ref) ?? []
  const id = parseUuid(uuid)
  if (id === undefined || (kind !== 'secrets' && kind !== 'containers')) return undefined
  return { kind, id }
}
