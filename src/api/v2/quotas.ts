/**
 * Limits of projects. `/quotas/defaults` has no route of its own: it is the project `defaults`,
 * which has none but the defaults.
 */
import { fault } from '../../model/fault.ts'
import {
  effectiveQuota,
  type Quota,
  type QuotaLimits,
  quota,
  quotaChanges,
  quotaFields,
} from '../../model/quota.ts'
import { parseUpdate, unwrap } from '../../model/request.ts'
import { type QuotaView, quotaView } from '../../model/view.ts'
import { resetQuota, updateQuota } from '../../operation/quota.ts'
import { quotaRelatives } from '../../store/relatives.ts'
import { findRow } from '../../store/repository.ts'
import { listRoute, type Readable } from '../read.ts'
import { type Api, allow, type Call, type Route } from '../route.ts'

const readable: Readable<typeof quota.fields> = {
  resource: quota,
  relatives: quotaRelatives,
}
const { argument, singular } = quota
const area = 'lbaas'
const path = '/quotas/:id'
const answer = { wrapper: singular, fields: quotaFields }

function projectOf(call: Call): string {
  const project_id = call.params.id ?? ''
  const parsed = quota.fields.project_id.type.parse(project_id)
  if (!parsed.ok) throw fault.invalidField('project_id', project_id, parsed.message)
  return parsed.value
}

function answerLimits(project_id: string, limits: QuotaLimits): { quota: QuotaView } {
  return { quota: quotaView({ project_id, ...limits }) }
}

async function answerEffective(api: Api, project_id: string): Promise<{ quota: QuotaView }> {
  const row: Partial<Quota> = (await findRow(api.store.read, quota, project_id)) ?? {}
  return answerLimits(project_id, effectiveQuota(row, api.settings.default_quotas))
}

export const QUOTA_ROUTES: readonly Route[] = [
  listRoute(readable, 'quota:get_all', 'quota:get_all-global', {
    area,
    path: '/quotas',
    summary: 'List the limits of projects; null is the default.',
  }),
  {
    method: 'GET',
    area,
    path,
    rule: 'quota:get_one',
    summary: 'Show the limits of a project, or those of all others: `defaults`.',
    status: 200,
    answer,
    handle: async (api, call) => {
      const project_id = projectOf(call)
      allow(call, project_id)
      return answerEffective(api, project_id)
    },
  },
  {
    method: 'GET',
    area,
    path: `${path}/default`,
    rule: 'quota:get_defaults',
    summary: 'Show the limits of projects that have none of their own.',
    status: 200,
    answer,
    handle: async (api, call) => {
      const project_id = projectOf(call)
      allow(call, project_id)
      return answerLimits(project_id, api.settings.default_quotas)
    },
  },
  {
    method: 'PUT',
    area,
    path,
    rule: 'quota:put',
    summary: 'Change limits of a project; null is the default again.',
    status: 202,
    request: { wrapper: singular, fields: quotaFields, kind: 'update' },
    answer,
    handle: async (api, call) => {
      const project_id = projectOf(call)
      const body = unwrap(call.body, argument, singular)
      const name = `${argument}.${singular}`
      const sent = parseUpdate(quotaFields, body, name, api.settings.defaults)
      allow(call, project_id)
      await updateQuota(api, project_id, quotaChanges(sent))
      return answerEffective(api, project_id)
    },
  },
  {
    method: 'DELETE',
    area,
    path,
    rule: 'quota:delete',
    summary: 'Give a project the default limits again.',
    status: 202,
    handle: async (api, call) => {
      const project_id = projectOf(call)
      allow(call, project_id)
      await resetQuota(api, project_id)
      return undefined
    },
  },
]
