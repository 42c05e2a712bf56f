/** One amphora by itself: removed, or given its agent configuration anew. */
import type { Flow } from '../../flow/step.ts'
import { amphora } from '../../model/amphora.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import { deleteAmphoraHealth } from '../../store/removal.ts'
import { findRow, getRow, updateRow } from '../../store/repository.ts'
import { timestamp } from '../../system/clock.ts'
import type { AmphoraInput } from '../catalogue.ts'
import { deleteAmphorae, unplugVips } from '../steps/replacement.ts'
import { agentRetry, computeDeleteRetry, networkRetry } from '../steps/retries.ts'
import { writeRows } from '../steps/rows.ts'
import type { World } from '../world.ts'

export const amphoraDelete: Flow<World, AmphoraInput> = {
  name: 'amphora-delete',
  steps: ({ load_balancer_id, amphora_id }) => [
    {
      name: 'delete-compute',
      retry: computeDeleteRetry,
      act: (context) => deleteAmphorae(context, load_balancer_id, [amphora_id]),
    },
    {
      name: 'unplug-vip',
      retry: networkRetry,
      act: (context) => unplugVips(context, [amphora_id]),
    },
    writeRows('finish', async (tx, now) => {
      const deleted = { status: 'DELETED', updated_at: timestamp(now) } as const
      await updateRow(tx, amphora, amphora_id, deleted)
      await deleteAmphoraHealth(tx, [amphora_id])
    }),
  ],
  failed: async (tx, { amphora_id }, { now }) => {
    await updateRow(tx, amphora, amphora_id, { status: 'ERROR', updated_at: timestamp(now) })
  },
}

export const amphoraConfigure: Flow<World, AmphoraInput> = {
  name: 'amphora-configure',
  steps: ({ load_balancer_id, amphora_id }) => [
    {
      name: 'update-agent-config',
      retry: agentRetry,
      act: async ({ world, db }) => {
        const row = await getRow(db, amphora, amphora_id)
        const owner = await findRow(db, loadBalancer, load_balancer_id ?? '')
        const topology = owner?.topology ?? 'SINGLE'
        await world.amphora.updateAgentConfig(
          row,
          world.renderAgentConfig({ id: amphora_id, topology }),
        )
        return undefined
      },
    },
  ],
  // The amphora goes on with what it has, and the job tells why.
  failed: async () => {},
}

export const amphoraCertificateRotate: Flow<World, AmphoraInput> = {
  name: 'amphora-certificate-rotate',
  steps: ({ amphora_id }) => [
    {
      name: 'replace-certificate',
      retry: agentRetry,
      // The key is part of it, so it is made and sent in one step, and never recorded.
      act: async ({ world, db }) => {
        const row = await getRow(db, amphora, amphora_id)
        const { pem, expiration } = await world.certificates.issueServerCertificate(amphora_id)
        await world.amphora.updateCertificate(row, pem)
        return expiration
      },
      rows: async (tx, { world }, expiration) => {
        const updated_at = timestamp(world.clock.now())
        const cert_expiration = String(expiration)
        await updateRow(tx, amphora, amphora_id, { cert_expiration, cert_busy: false, updated_at })
      },
    },
  ],
  // It goes on with the one it has, and the next look of housekeeping tries again.
  failed: async (tx, { amphora_id }) => {
    await updateRow(tx, amphora, amphora_id, { cert_busy: false })
  },
}
