/** Changing the limits of a project. */
import { fault } from '../model/fault.ts'
import { QUOTA_NAMES, type Quota, quota } from '../model/quota.ts'
import { ensureQuotaRow } from '../store/quota.ts'
import { updateRow } from '../store/repository.ts'
import type { OperationDependencies } from './change.ts'

type Deps = Pick<OperationDependencies, 'store'>

/** A limit of null is the default again. */
export async function updateQuota(
  { store }: Deps,
  project_id: string,
  changes: Partial<Quota>,
): Promise<void> {
  await store.transaction(async (tx) => {
    await ensureQuotaRow(tx, project_id)
    await updateRow(tx, quota, project_id, changes)
  })
}

/** Back to the defaults; 404 for a project which never had limits nor created anything. */
export async function resetQuota({ store }: Deps, project_id: string): Promise<void> {
  const cleared = Object.fromEntries(QUOTA_NAMES.map((name) => [name, null]))
  const found = await store.transaction((tx) => updateRow(tx, quota, project_id, cleared))
  if (!found) throw fault.notFound(quota.title, project_id)
}
