import { amphora } from '../../model/amphora.ts'
import { fault } from '../../model/fault.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import {
  configureAmphora,
  deleteAmphora,
  failoverAmphora,
  getAmphora,
} from '../../operation/amphora.ts'
import type { OperationDependencies, Origin } from '../../operation/change.ts'
import type { RuleName } from '../../policy/rules.ts'
import { findRow } from '../../store/repository.ts'
import { listAmphoraStatistics } from '../../store/statistics.ts'
import { parseKey } from '../listing.ts'
import { answerOne, answerPage, getShown, type Readable } from '../read.ts'
import { allow, type Call, type Route } from '../route.ts'

const readable: Readable<typeof amphora.fields> = {
  resource: amphora,
  hidden: { column: 'status', value: 'DELETED' },
  references: {
    project_id: {
      own: 'loadbalancer_id',
      table: loadBalancer.table,
      column: 'id',
      by: 'project_id',
    },
  },
}
const { singular, plural, fields } = amphora
const area = 'octavia'
const path = '/amphorae/:id'

const idOf = (call: Call): string => parseKey(amphora, call.params.id ?? '')

/** Asks for something to be done with the amphora, on behalf of its load balancer's project. */
function actionRoute(
  name: string,
  rule: RuleName,
  summary: string,
  act: (deps: OperationDependencies, id: string, origin: Origin) => Promise<void>,
): Route {
  return {
    method: 'PUT',
    area,
    path: `${path}/${name}`,
    rule,
    summary,
    status: 202,
    handle: async (api, call) => {
      const row = await getAmphora(api.store.read, idOf(call))
      const owner = await findRow(api.store.read, loadBalancer, row.loadbalancer_id ?? '')
      allow(call, owner === undefined ? call.caller.project_id : owner.project_id)
      await act(api, row.id, call.origin)
      return undefined
    },
  }
}

export const AMPHORA_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    area,
    path: '/amphorae',
    rule: 'amphora:get_all',
    summary: 'List amphorae.',
    status: 200,
    answer: { wrapper: plural, fields, list: true },
    handle: async (api, call) => {
      allow(call, call.caller.project_id)
      return answerPage(api, readable, call, call.query, [])
    },
  },
  {
    method: 'GET',
    area,
    path,
    rule: 'amphora:get_one',
    summary: 'Show an amphora.',
    status: 200,
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const row = await getShown(api.store.read, readable, call.params.id ?? '')
      allow(call, call.caller.project_id)
      return answerOne(api.store.read, readable, row, call)
    },
  },
  {
    method: 'DELETE',
    area,
    path,
    rule: 'amphora:delete',
    summary: 'Delete an amphora in ERROR.',
    status: 204,
    handle: async (api, call) => {
      allow(call, call.caller.project_id)
      await deleteAmphora(api, idOf(call), call.origin)
      return undefined
    },
  },
  {
    method: 'GET',
    area,
    path: `${path}/stats`,
    rule: 'amphora:get_stats',
    summary: 'Statistics of an amphora, by listener.',
    status: 200,
    answer: { wrapper: 'amphora_stats' },
    handle: async (api, call) => {
      allow(call, call.caller.project_id)
      const id = idOf(call)
      const rows = await listAmphoraStatistics(api.store.read, id)
      if (rows.length === 0) throw fault.notFound('Amphora stats for', id)
      return { amphora_stats: rows }
    },
  },
  actionRoute(
    'failover',
    'amphora:put_failover',
    'Replace an amphora by a new one.',
    failoverAmphora,
  ),
  actionRoute(
    'config',
    'amphora:put_config',
    'Give an amphora its agent configuration anew.',
    configureAmphora,
  ),
]
