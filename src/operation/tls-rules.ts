/** Rules of TLS which listeners and pools share. Source: octavia/common/validate.py. Pure. */
import { cipherFault, tls13Cipher } from '../model/cipher-names.ts'
import { fault } from '../model/fault.ts'
import { CIPHER_STRING, TLS_VERSIONS } from '../model/tls.ts'

/** Options of [api_settings], under their names. */
export interface TlsSettings {
  /** Ciphers with colons between. */
  readonly tls_cipher_prohibit_list: string
  readonly minimum_tls_version: (typeof TLS_VERSIONS)[number] | null
  readonly default_listener_ciphers: string
  readonly default_listener_tls_versions: readonly string[]
  readonly default_listener_alpn_protocols: readonly string[]
  readonly default_pool_ciphers: string
  readonly default_pool_tls_versions: readonly string[]
  readonly default_pool_alpn_protocols: readonly string[]
}

export function checkCiphers(
  ciphers: string | null | undefined,
  settings: Pick<TlsSettings, 'tls_cipher_prohibit_list'>,
): void {
  if (ciphers === null || ciphers === undefined || ciphers === '') return
  if (!CIPHER_STRING.test(ciphers))
    throw fault.validation(
      'Invalid characters in cipher string. ' +
        'Only alphanumeric, -, +, !, :, @, =, _, and . are allowed.',
    )
  const prohibited = settings.tls_cipher_prohibit_list.split(':')
  const rejected = ciphers
    .split(':')
    .filter((each) => prohibited.includes(each) || prohibited.includes(tls13Cipher(each) ?? each))
  if (rejected.length > 0)
    throw fault.validation(
      `The following ciphers have been prohibited by an administrator: ${rejected.join(', ')}`,
    )
  const unknown = cipherFault(ciphers)
  if (unknown !== undefined) throw fault.validation(`Invalid cipher string: ${unknown}.`)
}

export function checkVersions(
  versions: readonly string[] | null | undefined,
  settings: Pick<TlsSettings, 'minimum_tls_version'>,
): void {
  if (versions === null || versions === undefined) return
  if (versions.length === 0)
    throw fault.validation(
      'Empty TLS version list. Either specify at least one TLS version or remove this ' +
        'parameter to use the default.',
    )
  const known: readonly string[] = TLS_VERSIONS
  const invalid = versions.filter((version) => !known.includes(version))
  if (invalid.length > 0) throw fault.validation(`Invalid TLS versions: ${invalid.join(', ')}`)
  const least = settings.minimum_tls_version
  const old =
    least === null
      ? []
      : versions.filter((version) => known.indexOf(version) < known.indexOf(least))
  if (old.length > 0)
    throw fault.validation(
      `Requested TLS versions are less than the minimum: ${old.join(', ')} < ${least}`,
    )
  if (versions.every((version) => version === 'SSLv3'))
    throw fault.validation('SSLv3 alone is not spoken by any amphora; add a version of TLS.')
}

export function checkAlpn(protocols: readonly string[] | null | undefined): void {
  if (protocols?.length === 0)
    throw fault.validation(
      'Empty ALPN protocol list. Either specify at least one ALPN protocol or remove this ' +
        'parameter to use the default.',
    )
}
