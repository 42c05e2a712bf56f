/** Amphorae as compute instances: made, awaited until their agents answer, deleted. */
import {
  AGENT_CONFIG_PATH,
  AGENT_SERVER_CA_PATH,
  AGENT_SERVER_CERT_PATH,
} from '../../contract/agent-config.ts'
import { DriverError } from '../../driver/error.ts'
import { type Amphora, type AmphoraRole, amphora } from '../../model/amphora.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import { getRow, insertRow, updateRow } from '../../store/repository.ts'
import { timestamp } from '../../system/clock.ts'
import type { BuildReason } from '../build-places.ts'
import type { FlowInputs } from '../catalogue.ts'
import type { WorkerStep, World } from '../world.ts'
import { among, forEach, listAmphorae } from './amphorae.ts'
import { inAmphorae, onCompute } from './imaginary.ts'
import { findInstanceProfile } from './profile.ts'
import { agentBootRetry, computeBootRetry, computeDeleteRetry, computeRetry } from './retries.ts'

type Input = FlowInputs['load-balancer-create']

/** Source: octavia/common/constants.py, ROLE_*_PRIORITY. */
const VRRP_PRIORITY: Readonly<Record<AmphoraRole, number | null>> = {
  STANDALONE: null,
  MASTER: 100,
  BACKUP: 90,
}
const VRRP_ID = 1

export function createAmphoraRows({ load_balancer_id, amphorae }: Input): WorkerStep {
  return {
    name: 'create-amphora-rows',
    rows: async (tx, { world }) => {
      const now = timestamp(world.clock.now())
      for (const { id, role } of amphorae)
        await insertRow(tx, amphora, newAmphora({ id, role, load_balancer_id, now }))
    },
  }
}

function newAmphora(of: {
  readonly id: string
  readonly role: AmphoraRole
  readonly load_balancer_id: string
  readonly now: string
}): Amphora {
  return {
    id: of.id,
    loadbalancer_id: of.load_balancer_id,
    role: of.role,
    status: 'PENDING_CREATE',
    compute_id: null,
    lb_network_ip: null,
    vrrp_ip: null,
    ha_ip: null,
    vrrp_port_id: null,
    ha_port_id: null,
    cert_expiration: null,
    cert_busy: false,
    vrrp_interface: null,
    vrrp_id: VRRP_ID,
    vrrp_priority: VRRP_PRIORITY[of.role],
    cached_zone: null,
    image_id: null,
    compute_flavor: null,
    created_at: of.now,
    updated_at: null,
  }
}

type Built = { readonly id: string; readonly compute_id: string; readonly cert_expiration: string }

/**
 * Certificate, key and agent configuration exist only inside this step: they are secret and never
 * recorded.
 */
export function buildAmphorae(
  { load_balancer_id, amphorae }: Input,
  reason: BuildReason = 'create',
): WorkerStep {
  const ids = amphorae.map(({ id }) => id)
  return {
    name: 'build-amphorae',
    retry: computeRetry,
    imaginary: onCompute,
    act: async ({ world, db }) => {
      if (!world.places.take(ids, reason, world.clock.now())) throw crowded(load_balancer_id)
      const row = await getRow(db, loadBalancer, load_balancer_id)
      const { topology } = row
      const profile = await findInstanceProfile(db, row)
      return forEach(amphorae, async ({ id }): Promise<Built> => {
        const certificate = await world.certificates.issueServerCertificate(id)
        const { compute_id } = await world.compute.build({
          amphora_id: id,
          load_balancer_id,
          name: `amphora-${id}`,
          files: {
            [AGENT_CONFIG_PATH]: world.renderAgentConfig({ id, topology }),
            [AGENT_SERVER_CERT_PATH]: certificate.pem,
            [AGENT_SERVER_CA_PATH]: world.client_ca,
          },
          profile,
          kept_apart: topology === 'ACTIVE_STANDBY',
        })
        return { id, compute_id, cert_expiration: certificate.expiration }
      })
    },
    rows: async (tx, { world, result }) => {
      const updated_at = timestamp(world.clock.now())
      for (const { id, ...values } of result<Built[]>('build-amphorae'))
        await updateRow(tx, amphora, id, { ...values, status: 'BOOTING', updated_at })
    },
    undo: async ({ world }) => {
      world.places.release(ids)
      await forEach(amphorae, ({ id }) => world.compute.delete(id))
    },
  }
}

/** Waited for as for a service that is away. */
function crowded(load_balancer_id: string): DriverError {
  return new DriverError({
    operation: 'build',
    subject: `amphorae of load balancer ${load_balancer_id}`,
    reason: 'as many amphorae boot as may at a time',
    hint: '[haproxy_amphora] build_rate_limit',
    retryable: true,
    outage: true,
  })
}

type Booted = {
  readonly id: string
  readonly lb_network_ip: string
  readonly cached_zone: string | null
  readonly image_id: string | null
  readonly compute_flavor: string | null
}

export function waitForCompute({ amphorae }: Input): WorkerStep {
  return {
    name: 'wait-for-compute',
    retry: computeBootRetry,
    imaginary: onCompute,
    act: async ({ world }) => {
      const ids = amphorae.map(({ id }) => id)
      // Also after a restart, which has forgotten who has a place.
      world.places.hold(ids)
      const booted = await forEach(amphorae, ({ id }) => findBooted(world, id))
      world.places.release(ids)
      return booted
    },
    explain: ({ world }) => findConsoles(world, amphorae),
    rows: async (tx, { result }) => {
      for (const { id, ...values } of result<Booted[]>('wait-for-compute'))
        await updateRow(tx, amphora, id, values)
    },
  }
}

async function findBooted({ compute }: World, id: string): Promise<Booted> {
  const instance = await compute.find(id)
  const unfit = (reason: string, retryable: boolean): DriverError =>
    new DriverError({ operation: 'boot', subject: `amphora ${id}`, reason, retryable })
  if (instance === undefined) throw unfit('its compute instance is gone', false)
  if (instance.status === 'ERROR')
    throw unfit(`its compute instance is in ERROR: ${instance.fault ?? 'no reason given'}`, false)
  if (instance.status === 'BUILD') throw unfit('its compute instance is not ACTIVE yet', true)
  if (instance.lb_network_ip === null)
    throw unfit('its compute instance has no address on the management network', true)
  const { lb_network_ip, zone, image_id, compute_flavor } = instance
  return { id, lb_network_ip, cached_zone: zone, image_id, compute_flavor }
}

export function waitForAgents({ load_balancer_id, amphorae }: Input): WorkerStep {
  return {
    name: 'wait-for-agents',
    retry: agentBootRetry,
    imaginary: inAmphorae,
    act: async ({ world, db }) => {
      const rows = among(await listAmphorae(db, load_balancer_id), amphorae)
      const infos = await forEach(rows, async (row) => {
        const info = await world.amphora.getInfo(row)
        if (row.role !== 'STANDALONE' && info.keepalived_version === '')
          throw new DriverError({
            operation: 'get-info',
            subject: `amphora ${row.id}`,
            reason: 'it has no keepalived, which a pair needs',
            hint: 'install keepalived where amphorae run, or use an image that has it',
            retryable: false,
          })
        return info
      })
      return infos.map(({ haproxy_version, api_version }) => ({ haproxy_version, api_version }))
    },
    explain: ({ world }) => findConsoles(world, amphorae),
  }
}

/** What the amphorae said last, for the reason why they never answered. */
async function findConsoles(
  { compute }: World,
  amphorae: Input['amphorae'],
): Promise<string | undefined> {
  const ends = await forEach(amphorae, async ({ id }) => {
    const end = await compute.findConsole?.(id)
    return end === undefined ? [] : [`console of amphora ${id}: ${end}`]
  })
  return ends.flat().join('; ') || undefined
}

export function deleteCompute({
  load_balancer_id,
}: {
  readonly load_balancer_id: string
}): WorkerStep {
  return {
    name: 'delete-compute',
    retry: computeDeleteRetry,
    imaginary: onCompute,
    act: async ({ world, db }) => {
      const rows = await listAmphorae(db, load_balancer_id)
      await forEach(rows, ({ id }) => world.compute.delete(id))
      await world.compute.releaseGroup?.(load_balancer_id)
      return undefined
    },
  }
}
