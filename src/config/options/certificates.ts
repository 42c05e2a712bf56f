/** [certificates]: the CA of amphorae, and where certificates of users are. */
import { list } from '../compound.ts'
import { accepted } from '../option.ts'
import { boolean, choice, integer, path, text } from '../scalar.ts'

const MADE = 'unset: made at first start, in data_dir.'

/** Upstream's form: 32 characters of url-safe base64. */
const FERNET_KEY = /^[A-Za-z0-9_=-]{32}$/

export const CERT_MANAGERS = [
  'local_cert_manager',
  'barbican_cert_manager',
  'noop_cert_manager',
] as const
export type CertManagerName = (typeof CERT_MANAGERS)[number]

export const certificates = {
  ca_certificate: path(`CA that signs the certificates of amphorae; ${MADE}`, null),
  ca_private_key: path(`Its key; ${MADE}`, null),
  ca_private_key_passphrase: text('What that key is encrypted with.', null, { secret: true }),
  cert_validity_time: integer('Seconds a certificate of an amphora is valid.', 2_592_000, {
    min: 3600,
  }),
  cert_manager: choice('Where certificates of users are.', CERT_MANAGERS, 'local_cert_manager', {
    instead: { castellan_cert_manager: 'use barbican_cert_manager' },
  }),
  storage_path: path(
    'Folder of the local certificate manager; unset: certificates in data_dir.',
    null,
  ),
  service_name: text('Name of Barbican in the catalogue.', null),
  endpoint: text('URL of Barbican instead of the catalogue.', null),
  region_name: text('Region of Barbican.', null),
  endpoint_type: text('Interface of Barbican.', 'publicURL'),
  ca_certificates_file: path('CA of Barbican.', null),
  insecure: boolean("Whether Barbican's certificate is not checked.", false),
  ...accepted({
    server_certs_key_passphrase: list(
      `Keys of stored certificates, the first for new ones; ${MADE}`,
      null,
      { secret: true, pattern: FERNET_KEY, itemTakes: 'each 32 characters of A-Z a-z 0-9 - _ =' },
    ),
    signing_digest: choice(
      'How certificates are signed.',
      ['sha256', 'sha384', 'sha512'],
      'sha256',
    ),
    cert_generator: choice(
      'Who signs certificates of amphorae.',
      ['local_cert_generator'],
      'local_cert_generator',
    ),
    barbican_auth: text('How Barbican is asked.', 'barbican_acl_auth'),
  }),
}
