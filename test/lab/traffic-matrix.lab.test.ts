/**
 * Every feature of upstream's haproxy, in IPv4 and IPv6: real requests through the VIP of a load
 * balancer of the compiled executable. Prints each row with its result.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { createLab, deleteCascade, type Lab, labMissing, type Serve, VIP_NET } from './harness.ts'
import { type LogServer, openLogServer } from './matrix/log-server.ts'
import { TEMPLATE } from './matrix/logs.ts'
import { type Made, makeLoadBalancer } from './matrix/made.ts'
import { type NetworkPlan, openPlace, type Place } from './matrix/place.ts'
import { type Family, impossibleIn } from './matrix/row.ts'
import { MATRIX } from './matrix/rows.ts'

const missing = labMissing()

const PLANS: Readonly<Record<Family, NetworkPlan>> = {
  IPv4: {
    ...{ family: 'IPv4', host: '10.10.10.1', nowhere: '10.10.10.99' },
    clients: ['10.10.10.31', '10.10.10.32'],
  },
  IPv6: {
    ...{ family: 'IPv6', host: 'fd10:10::1', nowhere: 'fd10:10::99' },
    clients: ['fd10:10::31', 'fd10:10::32'],
  },
}
/** One network with a subnet of each family, so that a load balancer can have VIPs in both. */
const SETTINGS = `[api_settings]
auth_strategy = "noauth"

[health_manager]
heartbeat_interval = 1

[haproxy_amphora]
haproxy_template = "TEMPLATE"

[amphora_agent]
tenant_log_targets = ["172.16.0.2:9914"]
admin_log_targets = ["172.16.0.2:9915"]

${VIP_NET}
[[local_cloud.networks.subnets]]
cidr = "fd10:10::/64"
allocation_start = "fd10:10::100"
allocation_end = "fd10:10::250"
`

interface Result {
  readonly row: string
  readonly features: string
  readonly result: string
}
const results: Result[] = []

let lab: Lab
let serve: Serve
let logServer: LogServer

beforeAll(async () => {
  if (missing !== undefined) return
  const template = join(mkdtempSync(join(tmpdir(), 'octavia-lite-template-')), 'haproxy.cfg')
  writeFileSync(template, TEMPLATE)
  lab = createLab(SETTINGS.replace('TEMPLATE', template))
  logServer = await openLogServer(9914)
  serve = await lab.start()
})

afterAll(async () => {
  if (missing !== undefined) return
  await serve.stop()
  lab.remove()
  logServer.close()
  process.stdout.write(report(results))
})

const OTHER = { IPv4: 'IPv6', IPv6: 'IPv4' } as const
const FAMILIES = ['IPv4', 'IPv6'] as const
describe.skipIf(missing !== undefined).each(FAMILIES)('%s', (family) => {
  let place: Place
  let made: Made

  beforeAll(async () => {
    const store = join(lab.folder, 'data', 'certificates')
    place = await openPlace(PLANS[family], PLANS[OTHER[family]].host, store)
    const [vip_subnet_id, other] = [await subnetOf(family), await subnetOf(OTHER[family])]
    made = await makeLoadBalancer(serve.client, place, { vip_subnet_id, other }, MATRIX)
  }, 120_000)

  afterAll(async () => {
    await deleteCascade(serve.client, made.load_balancer_id)
    await place.close()
  })

  for (const row of MATRIX) {
    const impossible = impossibleIn(row, family)
    const note = (result: string): unknown =>
      results.push({ row: row.shows, features: `${family} ${row.features.join(', ')}`, result })
    test.skipIf(impossible !== undefined)(`${row.features.join(', ')}: ${row.shows}`, async () => {
      const listeners = made.listenersOf(row)
      const { client } = serve
      const { load_balancer_id, vip } = made
      try {
        await row.check?.({
          ...{ place, client, load_balancer_id, vip, listeners, folder: lab.folder },
          additional_vip: made.additional_vip,
          logged: logServer.lines,
        })
        note('passed')
      } catch (error) {
        note('FAILED')
        throw error
      }
    })
    if (impossible !== undefined) note(`impossible here: ${impossible}`)
  }
})

async function subnetOf(family: Family): Promise<string> {
  const version = family === 'IPv4' ? 4 : 6
  const subnets = (await serve.client.call('GET', '../subnets')) as unknown as readonly {
    id: string
    ip_version: number
  }[]
  const found = subnets.find((subnet) => subnet.ip_version === version)
  if (found === undefined) throw new Error(`no subnet of ${family}`)
  return found.id
}

function report(all: readonly Result[]): string {
  const count = (wanted: string): number =>
    all.filter(({ result }) => result.startsWith(wanted)).length
  const lines = all.map(({ features, row, result }) => `${features}: ${row} - ${result}`)
  const sums = `${count('passed')} passed, ${count('FAILED')} failed`
  return `\n${lines.join('\n')}\ntraffic matrix: ${sums}, ${count('impossible')} impossible here\n`
}
