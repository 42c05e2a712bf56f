/** `octavia-lite doctor stuck`: load balancers that no job will get out of PENDING_*. */
import { listStuck } from '../../store/inspection.ts'
import { systemClock } from '../../system/clock.ts'
import { failLoadBalancer } from '../../worker/steps/statuses.ts'
import { withDatabase } from '../database.ts'
import { EXIT, type Exit, type Io } from '../io.ts'
import { confirm } from '../setup/question.ts'
import { JOB_PROVIDERS } from './checks.ts'

export interface StuckOptions {
  readonly config_file: string | undefined
  readonly ask: boolean
  readonly json: boolean
}

/** They become ERROR, in which they can be failed over and deleted. */
export async function endStuck(options: StuckOptions, io: Io): Promise<Exit> {
  return await withDatabase(options.config_file, async ({ store }) => {
    const found = await listStuck(store.read, JOB_PROVIDERS)
    if (found.length > 0 && options.ask) {
      for (const { id, name, provisioning_status: status } of found)
        io.err(`${id}  ${status}  ${name}\n`)
      await confirm('Set these to ERROR?', io)
    }
    // A job may have come meanwhile.
    const ended = await store.transaction(async (tx) => {
      const still = await listStuck(tx, JOB_PROVIDERS)
      for (const { id } of still) await failLoadBalancer(tx, id, systemClock.now())
      return still.map(({ id }) => id)
    })
    if (options.json) io.out(`${JSON.stringify({ ended }, null, 2)}\n`)
    else if (ended.length === 0) io.out('no load balancer is stuck\n')
    else
      for (const id of ended)
        io.out(`${id} is in ERROR: octavia-lite lb failover ${id}, or lb delete --cascade\n`)
    return EXIT.ok
  })
}
