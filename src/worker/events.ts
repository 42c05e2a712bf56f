/**
 * What others are told of load balancers: a line of the log when one was made, changed or deleted,
 * as upstream's notifications by the driver `log` of oslo.messaging.
 * Source: octavia/controller/worker/v2/tasks/notification_tasks.py.
 */
import { loadBalancer } from '../model/load-balancer.ts'
import { findRow } from '../store/repository.ts'
import type { Db } from '../store/store.ts'
import type { JobRow } from '../store/tables.ts'
import type { Log } from '../system/log.ts'
import type { FlowName } from './catalogue.ts'

/** Flows of the load balancer itself; changes of its children are not announced. */
const EVENTS: Partial<Readonly<Record<FlowName, string>>> = {
  'load-balancer-create': 'octavia.loadbalancer.create.end',
  'load-balancer-update': 'octavia.loadbalancer.update.end',
  'load-balancer-delete': 'octavia.loadbalancer.delete.end',
}

/** For the engine: what a job that is done is announced as. */
export function createAnnouncer({
  read,
  log,
}: {
  readonly read: Db
  readonly log: Log
}): (job: Pick<JobRow, 'flow' | 'load_balancer_id' | 'request_id'>) => Promise<void> {
  return async ({ flow, load_balancer_id, request_id }) => {
    const event = EVENTS[flow as FlowName]
    if (event === undefined || load_balancer_id === null) return
    try {
      const row = await findRow(read, loadBalancer, load_balancer_id)
      if (row === undefined) return
      const { id, project_id, name, vip_address, provider, provisioning_status } = row
      const payload = { project_id, name, vip_address, provider, provisioning_status }
      log.info(event, { load_balancer: id, request: request_id ?? undefined, ...payload })
    } catch (error) {
      log.error('an event cannot be announced', { event, load_balancer: load_balancer_id, error })
    }
  }
}
