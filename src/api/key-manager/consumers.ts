/** Who refers to a secret or container: found when asked for, so that nobody has to register. */
import type { Consumer } from '../../store/secrets.ts'
import {
  type KeyManagerApi,
  type KeyManagerCall,
  type KeyManagerRoute,
  listAnswer,
  pageOf,
} from './route.ts'

export function consumerRoute(
  kind: 'secrets' | 'containers',
  find: (api: KeyManagerApi, call: KeyManagerCall) => Promise<{ readonly id: string }>,
): KeyManagerRoute {
  return {
    method: 'GET',
    path: `/v1/${kind}/:id/consumers`,
    rule: 'secret:get_one',
    handle: async (api, call) => {
      const { id } = await find(api, call)
      const consumers = await api.vault.listConsumers(id)
      const { offset, limit } = pageOf(call.query)
      const shown = consumers.slice(offset, offset + limit)
      const views = shown.map((each) => ({ ...consumerView(each), name: each.name }))
      return listAnswer(call, 'consumers', views, consumers.length)
    },
  }
}

export function consumerView({ type, id }: Consumer) {
  return { service: 'octavia', resource_type: type, resource_id: id }
}
