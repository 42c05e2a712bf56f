import { listener } from '../../model/listener.ts'
import { parseCreate, unwrap } from '../../model/request.ts'
import { getLoadBalancer } from '../../operation/change.ts'
import { createListener, deleteListener, updateListener } from '../../operation/listener.ts'
import { listenerRelatives } from '../../store/relatives.ts'
import { sumStatistics } from '../../store/statistics.ts'
import { getShown, listRoute, type Readable, showRoute } from '../read.ts'
import { allow, type Route } from '../route.ts'
import { answerById, deleteRoute, updateRoute } from '../write.ts'

const readable: Readable<typeof listener.fields> = {
  resource: listener,
  relatives: listenerRelatives,
}
const { argument, singular, fields } = listener
const area = 'lbaas'

export const LISTENER_ROUTES: readonly Route[] = [
  listRoute(readable, 'listener:get_all', 'listener:get_all-global', {
    area,
    path: '/listeners',
    summary: 'List listeners.',
  }),
  showRoute(readable, 'listener:get_one', {
    area,
    path: '/listeners/:id',
    summary: 'Show a listener.',
  }),
  {
    method: 'POST',
    area,
    path: '/listeners',
    rule: 'listener:post',
    summary: 'Create a listener.',
    status: 201,
    request: { wrapper: singular, fields, kind: 'create' },
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const body = unwrap(call.body, argument, singular)
      const values = parseCreate(fields, body, `${argument}.${singular}`, api.settings.defaults)
      const owner = await getLoadBalancer(api.store.read, values.loadbalancer_id)
      allow(call, owner.project_id)
      return answerById(api, readable, await createListener(api, values, call.origin))
    },
  },
  updateRoute(
    readable,
    { path: '/listeners/:id', rule: 'listener:put', summary: 'Change a listener.' },
    (deps, row, changes, origin) => updateListener(deps, row.id, changes, origin),
  ),
  deleteRoute(
    readable,
    { path: '/listeners/:id', rule: 'listener:delete', summary: 'Delete a listener.' },
    (deps, row, origin) => deleteListener(deps, row.id, origin),
  ),
  {
    method: 'GET',
    area,
    path: '/listeners/:id/stats',
    rule: 'listener:get_stats',
    summary: 'Statistics of a listener.',
    status: 200,
    answer: { wrapper: 'stats' },
    handle: async (api, call) => {
      const row = await getShown(api.store.read, readable, call.params.id ?? '')
      allow(call, row.project_id)
      return { stats: await sumStatistics(api.store.read, { listener_id: row.id }) }
    },
  },
]
