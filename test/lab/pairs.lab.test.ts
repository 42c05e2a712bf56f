/**
 * Pairs of amphorae with real keepalived and haproxy: made, hit by every fault that they are there
 * for, and replaced, under a client that opens a connection every 10 ms.
 */
import { expect, onTestFailed, test } from 'vitest'
import { present } from '../../src/system/assert.ts'
import {
  type AmphoraRow,
  amphoraeOf,
  cutLink,
  freeze,
  HANDOVER_MS_MAX,
  isWhole,
  killAmphora,
  ownersOf,
  processesOf,
  type Seen,
  SWITCH_MS_MAX,
  signal,
  watchVips,
} from './amphora-faults.ts'
import {
  bodyOf,
  createBalanced,
  createLab,
  createWebServers,
  deleteCascade,
  type Lab,
  type LabSettings,
  labMissing,
  type Serve,
  titled,
  until,
} from './harness.ts'
import { leftovers, snapshot } from './leftovers.ts'

const missing = labMissing('keepalived')
const named = titled(missing)

const PAIRS = 'loadbalancer_topology = "ACTIVE_STANDBY"'
const IMPATIENT = 'heartbeat_timeout = 4\nhealth_check_interval = 1'
const LOG_TAIL_CHARS = 8_000

interface Made {
  readonly lab: Lab
  readonly serve: Serve
  readonly id: string
  readonly vip: string
}

/** One load balancer, which is gone with all that came with it at the end. */
async function withBalanced(settings: LabSettings, body: (made: Made) => Promise<void>) {
  const before = await snapshot()
  const lab = createLab(settings)
  const serve = await lab.start()
  onTestFailed(() => {
    process.stdout.write(`\nthe end of its log:\n${serve.log().slice(-LOG_TAIL_CHARS)}\n`)
  })
  const servers = await createWebServers(2)
  const { id, vip } = await createBalanced(serve.client, servers)
  await body({ lab, serve, id, vip })
  await deleteCascade(serve.client, id)
  expect(await serve.client.call('GET', '../octavia/amphorae')).toEqual([])
  for (const server of servers) await server.remove()
  expect(await serve.stop()).toBe(0)
  lab.remove()
  expect(await leftovers(before)).toEqual([])
}

async function whole({ lab, serve, id, vip }: Made): Promise<readonly AmphoraRow[]> {
  await until('the pair to be whole', async () =>
    isWhole(lab, await amphoraeOf(serve.client, id), vip),
  )
  return amphoraeOf(serve.client, id)
}

async function watched(
  what: string,
  { vip }: Made,
  happens: () => Promise<unknown>,
): Promise<Seen> {
  return present((await watchVips(what, [vip], happens))[0], 'what was seen')
}

test.skipIf(missing !== undefined)(
  named('a pair serves whatever happens to the one that has the VIP'),
  () =>
    withBalanced({ worker: PAIRS }, async (made) => {
      const { lab, serve, id, vip } = made
      // ACTIVE means that it answers.
      expect(await bodyOf(`http://${vip}/`)).toMatch(/^web/)
      const rows = await amphoraeOf(serve.client, id)
      const shown = rows.map((row) => [row.role, row.status, row.vrrp_priority, row.vrrp_interface])
      expect(shown.toSorted()).toEqual([
        ['BACKUP', 'ALLOCATED', 90, 'eth1'],
        ['MASTER', 'ALLOCATED', 100, 'eth1'],
      ])
      expect((await ownersOf(lab, rows, vip)).map((row) => row.role)).toEqual(['MASTER'])

      /** The fault hits whoever has the VIP. */
      const hit = async (
        what: string,
        moves: boolean,
        fault: (owner: AmphoraRow) => Promise<(() => Promise<void>) | undefined>,
      ): Promise<void> => {
        await whole(made)
        const owner = present((await ownersOf(lab, rows, vip))[0], 'the owner of the VIP')
        const others = rows.filter((row) => row.id !== owner.id)
        let mend: (() => Promise<void>) | undefined
        const seen = await watched(what, made, async () => {
          mend = await fault(owner)
          if (moves)
            await until(
              'the other to have the VIP',
              async () => (await ownersOf(lab, others, vip)).length === 1,
            )
        })
        expect(seen.gap_ms).toBeLessThan(SWITCH_MS_MAX)
        await mend?.()
      }
      await hit('its haproxy killed', false, async (owner) => {
        signal(processesOf(lab, owner, 'haproxy'), 'SIGKILL')
        return undefined
      })
      await hit('its keepalived killed', false, async (owner) => {
        signal(processesOf(lab, owner, 'keepalived'), 'SIGKILL')
        return undefined
      })
      await hit('its link cut', true, cutLink)
      await hit('the amphora killed', true, async (owner) => {
        killAmphora(lab, owner)
        return undefined
      })
      await whole(made)
    }),
  300_000,
)

test.skipIf(missing !== undefined)(
  named('both amphorae of a pair are replaced, and the VIP is handed over'),
  () =>
    withBalanced({ worker: PAIRS }, async (made) => {
      const { lab, serve, id, vip } = made
      const { client } = serve
      const old = await whole(made)
      const seen = await watched('failover of the load balancer', made, async () => {
        await client.call('PUT', `loadbalancers/${id}/failover`)
        await client.active(id)
      })
      expect(seen.gap_ms).toBeLessThan(HANDOVER_MS_MAX)
      const rows = await whole(made)
      expect(rows.map((row) => row.role).toSorted()).toEqual(['BACKUP', 'MASTER'])
      expect(rows.filter((row) => old.some((each) => each.id === row.id))).toEqual([])
      expect((await client.call('GET', `loadbalancers/${id}`)).vip_address).toBe(vip)

      for (const place of ['without', 'with'] as const) {
        const owners = await ownersOf(lab, await amphoraeOf(client, id), vip)
        const [row] = (await amphoraeOf(client, id)).filter(
          (each) => owners.some((owner) => owner.id === each.id) === (place === 'with'),
        )
        const replaced = await watched(`failover of the one ${place} the VIP`, made, async () => {
          await client.call('PUT', `../octavia/amphorae/${row?.id}/failover`)
          await client.active(id)
        })
        expect(replaced.gap_ms).toBeLessThan(HANDOVER_MS_MAX)
        expect((await whole(made)).map((each) => each.id)).not.toContain(row?.id)
      }
    }),
  300_000,
)

test.skipIf(missing !== undefined)(
  named('silent amphorae are replaced: one, one of a pair, both'),
  async () => {
    await withBalanced({ health: IMPATIENT }, async (made) => {
      const { lab, serve, id } = made
      const [old] = await amphoraeOf(serve.client, id)
      let clear = async (): Promise<void> => {}
      const seen = await watched('a single amphora freezes', made, async () => {
        clear = await freeze(lab, present(old, 'the amphora'))
        await until('its replacement', async () => {
          const [row] = await amphoraeOf(serve.client, id)
          return row !== undefined && row.id !== old?.id && row.status === 'ALLOCATED'
        })
        await serve.client.active(id)
      })
      await clear()
      expect(seen.answered).toBeGreaterThan(50)
      expect(await amphoraeOf(serve.client, id)).toHaveLength(1)
    })
    await withBalanced({ health: IMPATIENT, worker: PAIRS }, async (made) => {
      const { lab, serve, id, vip } = made
      const rows = await whole(made)
      const [owner] = await ownersOf(lab, rows, vip)
      const replaced = (gone: readonly AmphoraRow[]) => async (): Promise<void> => {
        const cuts = await Promise.all(gone.map((row) => freeze(lab, row)))
        await until('the replacements', async () => {
          const now = await amphoraeOf(serve.client, id)
          const fresh = now.every((row) => !gone.some((each) => each.id === row.id))
          return fresh && now.length === 2 && now.every((row) => row.status === 'ALLOCATED')
        })
        await serve.client.active(id)
        for (const clear of cuts) await clear()
      }
      const one = present(owner, 'the owner of the VIP')
      const seen = await watched('the one with the VIP freezes', made, replaced([one]))
      expect(seen.gap_ms).toBeLessThan(SWITCH_MS_MAX)
      const both = await whole(made)
      await watched('both of a pair freeze', made, replaced(both))
      await whole(made)
    })
  },
  600_000,
)
