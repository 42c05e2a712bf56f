import { pool, poolRequest } from '../../model/pool.ts'
import { parseCreate, unwrap } from '../../model/request.ts'
import { getLoadBalancer } from '../../operation/change.ts'
import { createPool, deletePool, findOwner, updatePool } from '../../operation/pool.ts'
import { poolRelatives } from '../../store/relatives.ts'
import { listRoute, type Readable, showRoute } from '../read.ts'
import { allow, type Route } from '../route.ts'
import { answerById, deleteRoute, updateRoute } from '../write.ts'

const readable: Readable<typeof pool.fields> = {
  resource: pool,
  relatives: poolRelatives,
  references: {
    listener_id: { table: 'listener', column: 'default_pool_id' },
    healthmonitor_id: { table: 'health_monitor', column: 'pool_id' },
  },
}
const { argument, singular } = pool
const createFields = { ...pool.fields, ...poolRequest }
const area = 'lbaas'

export const POOL_ROUTES: readonly Route[] = [
  listRoute(readable, 'pool:get_all', 'pool:get_all-global', {
    area,
    path: '/pools',
    summary: 'List pools.',
  }),
  showRoute(readable, 'pool:get_one', { area, path: '/pools/:id', summary: 'Show a pool.' }),
  {
    method: 'POST',
    area,
    path: '/pools',
    rule: 'pool:post',
    summary: 'Create a pool on a load balancer or as the default pool of a listener.',
    status: 201,
    request: { wrapper: singular, fields: createFields, kind: 'create' },
    answer: { wrapper: singular, fields: pool.fields },
    handle: async (api, call) => {
      const body = unwrap(call.body, argument, singular)
      const path = `${argument}.${singular}`
      const values = parseCreate(createFields, body, path, api.settings.defaults)
      const owner = await findOwner(api.store.read, values)
      allow(call, (await getLoadBalancer(api.store.read, owner)).project_id)
      return answerById(api, readable, await createPool(api, values, call.origin))
    },
  },
  updateRoute(
    readable,
    { path: '/pools/:id', rule: 'pool:put', summary: 'Change a pool.' },
    (deps, row, changes, origin) => updatePool(deps, row.id, changes, origin),
  ),
  deleteRoute(
    readable,
    { path: '/pools/:id', rule: 'pool:delete', summary: 'Delete a pool with its members.' },
    (deps, row, origin) => deletePool(deps, row.id, origin),
  ),
]
