/** The built-in store of secrets with its API, over an empty database. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { App } from '../../src/api/app.ts'
import { createHeaderIdentity } from '../../src/api/identity.ts'
import { createKeyManagerApp } from '../../src/api/key-manager/app.ts'
import type { CertificateManager } from '../../src/driver/certificate-manager.ts'
import { createLocalCertificateManager } from '../../src/driver/local/certificate-manager.ts'
import { createPolicy } from '../../src/policy/check.ts'
import { createVaultManager } from '../../src/secret/certificate-manager.ts'
import { openKeyring } from '../../src/secret/keyring.ts'
import { openVault } from '../../src/secret/vault.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { newId } from '../../src/system/ids.ts'
import { silentLog } from '../../src/system/log.ts'
import { SETTINGS } from './harness.ts'

export interface KeyManagerHarness {
  readonly app: App
  readonly store: Store
  readonly certificateManager: CertificateManager
}

export async function createKeyManager(identity = TESTING): Promise<KeyManagerHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-key-manager-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const store = openStore(':memory:')
  const vault = await openVault(store, openKeyring(join(folder, 'secret.keys')))
  const files = createLocalCertificateManager({ storage_path: folder })
  const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) }
  const app = createKeyManagerApp({
    ...{ store, vault, clock, newId, identity, policy: createPolicy(), log: silentLog },
    settings: SETTINGS,
    options: { api_base_uri: null, max_request_body_size: 114_688 },
  })
  return { app, store, certificateManager: createVaultManager({ vault, read: store.read }, files) }
}

/** Callers have the roles that they name. */
export const TESTING = createHeaderIdentity({ is_admin: false, default_project_id: null })
