import { fault } from '../../model/fault.ts'
import { isObject, parseBoolean } from '../../model/field.ts'
import { parseGraph } from '../../model/graph.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import { parseChanges, unwrap } from '../../model/request.ts'
import { graphView, statusView } from '../../model/view.ts'
import { failoverLoadBalancer } from '../../operation/amphora.ts'
import { deleteLoadBalancer, updateLoadBalancer } from '../../operation/load-balancer.ts'
import { createLoadBalancer } from '../../operation/load-balancer-create.ts'
import { loadBalancerRelatives } from '../../store/relatives.ts'
import { findRow } from '../../store/repository.ts'
import { sumStatistics } from '../../store/statistics.ts'
import { findTree } from '../../store/tree.ts'
import { present } from '../../system/assert.ts'
import { answerOne, getShown, listRoute, type Readable, showRoute } from '../read.ts'
import { type Api, allow, type Call, type Route } from '../route.ts'

const readable: Readable<typeof loadBalancer.fields> = {
  resource: loadBalancer,
  relatives: loadBalancerRelatives,
  hidden: { column: 'provisioning_status', value: 'DELETED' },
}
const { argument, singular, fields } = loadBalancer
const path = `${argument}.${singular}`
const area = 'lbaas'

async function getAllowed(api: Api, call: Call) {
  const row = await getShown(api.store.read, readable, call.params.id ?? '')
  allow(call, row.project_id)
  return row
}

export const LOAD_BALANCER_ROUTES: readonly Route[] = [
  listRoute(readable, 'loadbalancer:get_all', 'loadbalancer:get_all-global', {
    area,
    path: '/loadbalancers',
    summary: 'List load balancers.',
  }),
  showRoute(readable, 'loadbalancer:get_one', {
    area,
    path: '/loadbalancers/:id',
    summary: 'Show a load balancer.',
  }),
  {
    method: 'POST',
    area,
    path: '/loadbalancers',
    rule: 'loadbalancer:post',
    summary: 'Create a load balancer, alone or with all its children.',
    status: 201,
    request: { wrapper: singular, fields, kind: 'graph' },
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const body = unwrap(call.body, argument, singular)
      const graph = parseGraph(body, path, api.settings.defaults)
      const project_id = graph.loadBalancer.project_id ?? call.caller.project_id
      if (project_id === null || project_id === '') throw fault.noProject()
      allow(call, project_id)
      if (isObject(body) && Object.hasOwn(body, 'vip_sg_ids'))
        allow(call, project_id, 'loadbalancer:post:vip_sg_ids')
      const id = await createLoadBalancer(api, graph, project_id, call.origin)
      const tree = present(await findTree(api.store.read, id), 'the new load balancer')
      return { [singular]: graphView(tree) }
    },
  },
  {
    method: 'PUT',
    area,
    path: '/loadbalancers/:id',
    rule: 'loadbalancer:put',
    summary: 'Change a load balancer.',
    status: 200,
    request: { wrapper: singular, fields, kind: 'update' },
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const changes = parseChanges(loadBalancer, call.body, api.settings.defaults)
      const row = await getAllowed(api, call)
      if (changes === undefined) throw fault.missingArgument(singular)
      if (changes.vip_sg_ids !== undefined)
        allow(call, row.project_id, 'loadbalancer:put:vip_sg_ids')
      await updateLoadBalancer(api, row.id, changes, call.origin)
      const changed = present(await findRow(api.store.read, loadBalancer, row.id), 'the row')
      return answerOne(api.store.read, readable, changed)
    },
  },
  {
    method: 'DELETE',
    area,
    path: '/loadbalancers/:id',
    rule: 'loadbalancer:delete',
    summary: 'Delete a load balancer; with ?cascade=true its children too.',
    status: 204,
    query: ['cascade'],
    handle: async (api, call) => {
      const row = await getAllowed(api, call)
      const cascade = parseBoolean(call.query.get('cascade') ?? 'false') ?? false
      await deleteLoadBalancer(api, row.id, cascade, call.origin)
      return undefined
    },
  },
  {
    method: 'GET',
    area,
    path: '/loadbalancers/:id/stats',
    rule: 'loadbalancer:get_stats',
    summary: 'Statistics of a load balancer: the sums over its listeners.',
    status: 200,
    answer: { wrapper: 'stats' },
    handle: async (api, call) => {
      const { id } = await getAllowed(api, call)
      return { stats: await sumStatistics(api.store.read, { load_balancer_id: id }) }
    },
  },
  statusRoute('/loadbalancers/:id/status'),
  statusRoute('/loadbalancers/:id/statuses'),
  {
    method: 'PUT',
    area,
    path: '/loadbalancers/:id/failover',
    rule: 'loadbalancer:put_failover',
    summary: 'Replace the amphorae of a load balancer.',
    status: 202,
    handle: async (api, call) => {
      const { id } = await getAllowed(api, call)
      await failoverLoadBalancer(api, id, call.origin)
      return undefined
    },
  },
]

function statusRoute(statusPath: string): Route {
  return {
    method: 'GET',
    area,
    path: statusPath,
    rule: 'loadbalancer:get_status',
    summary: 'The statuses of a load balancer and all its children.',
    status: 200,
    answer: { wrapper: 'statuses' },
    handle: async (api, call) => {
      const { id } = await getAllowed(api, call)
      const tree = await findTree(api.store.read, id)
      if (tree === undefined) throw fault.notFound(loadBalancer.title, id)
      return { statuses: statusView(tree) }
    },
  }
}
