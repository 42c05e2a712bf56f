import { healthMonitor } from '../../model/health-monitor.ts'
import { pool } from '../../model/pool.ts'
import { parseCreate, unwrap } from '../../model/request.ts'
import {
  createHealthMonitor,
  deleteHealthMonitor,
  updateHealthMonitor,
} from '../../operation/health-monitor.ts'
import { healthMonitorRelatives } from '../../store/relatives.ts'
import { getRow } from '../../store/repository.ts'
import { listRoute, type Readable, showRoute } from '../read.ts'
import { allow, type Route } from '../route.ts'
import { answerById, deleteRoute, updateRoute } from '../write.ts'

const readable: Readable<typeof healthMonitor.fields> = {
  resource: healthMonitor,
  relatives: healthMonitorRelatives,
}
const { argument, singular, fields } = healthMonitor
const area = 'lbaas'
const path = '/healthmonitors/:id'

export const HEALTH_MONITOR_ROUTES: readonly Route[] = [
  listRoute(readable, 'healthmonitor:get_all', 'healthmonitor:get_all-global', {
    area,
    path: '/healthmonitors',
    summary: 'List health monitors.',
  }),
  showRoute(readable, 'healthmonitor:get_one', { area, path, summary: 'Show a health monitor.' }),
  {
    method: 'POST',
    area,
    path: '/healthmonitors',
    rule: 'healthmonitor:post',
    summary: 'Create the health monitor of a pool.',
    status: 201,
    request: { wrapper: singular, fields, kind: 'create' },
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const body = unwrap(call.body, argument, singular)
      const values = parseCreate(fields, body, `${argument}.${singular}`, api.settings.defaults)
      allow(call, (await getRow(api.store.read, pool, values.pool_id)).project_id)
      return answerById(api, readable, await createHealthMonitor(api, values, call.origin))
    },
  },
  updateRoute(
    readable,
    { path, rule: 'healthmonitor:put', summary: 'Change a health monitor.' },
    (deps, row, changes, origin) => updateHealthMonitor(deps, row.id, changes, origin),
  ),
  deleteRoute(
    readable,
    { path, rule: 'healthmonitor:delete', summary: 'Delete a health monitor.' },
    (deps, row, origin) => deleteHealthMonitor(deps, row.id, origin),
  ),
]
