/**
 * A real OpenStack that tests may use: where OS_* variables name one (a user with the role admin in
 * its project), its drivers as `serve` opens them, and what a test makes there by hand.
 */
import { openOpenStack } from '../../src/command/serve/openstack.ts'
import { checkConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/options.ts'
import { present } from '../../src/system/assert.ts'
import { systemClock } from '../../src/system/clock.ts'
import { silentLog } from '../../src/system/log.ts'

const { OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME } = process.env

export const openStackMissing: string | undefined =
  OS_AUTH_URL && OS_USERNAME && OS_PASSWORD && OS_PROJECT_NAME && process.env.OCTAVIA_LAB_NOVA
    ? undefined
    : 'needs OS_AUTH_URL and the other OS_ variables of a real OpenStack, and OCTAVIA_LAB_NOVA=1'

/** The tag by which tests find the image that they boot. */
export const IMAGE_TAG = 'octavia-lite-lab'

// biome-ignore lint/suspicious/noExplicitAny: answers are inspected by tests
export type Json = any

export interface RealCloud {
  readonly config: Config
  openstack(): ReturnType<typeof openOpenStack>
  send(service: string, method: string, path: string, body?: unknown): Promise<Json>
  /** Ids of networks made for the test. */
  makeNetwork(cidr: string): Promise<string>
  /** Removes all that was made here, the newest first. */
  cleanUp(): Promise<void>
}

export function openStackText(values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${value}`)
  return `[service_auth]
auth_type = "password"
auth_url = "${OS_AUTH_URL}"
username = "${OS_USERNAME}"
password = "${OS_PASSWORD}"
user_domain_name = "Default"
project_name = "${OS_PROJECT_NAME}"
project_domain_name = "Default"
[controller_worker]
compute_driver = "compute_nova_driver"
network_driver = "allowed_address_pairs_driver"
amp_image_tag = "${IMAGE_TAG}"
${lines.join('\n')}
[health_manager]
bind_ip = "127.0.0.1"
bind_port = 0
controller_ip_port_list = ["127.0.0.1:5555"]
[nova]
enable_anti_affinity = true
anti_affinity_policy = "soft-anti-affinity"
`
}

/** Services by their type in the catalogue, and how their paths begin. */
const VERSIONS: Readonly<Record<string, string>> = {
  network: 'v2.0',
  compute: 'v2.1',
  image: 'v2',
}

/** Flavor m1.lab, the network lb-mgmt-net and the image lab-test: see the cloud's own README. */
export async function openRealCloud(): Promise<RealCloud> {
  const first = configOf({ amp_flavor_id: '"-"', amp_boot_network_list: '["-"]' })
  const session = openOpenStack({
    deployment: '0123456789abcdef',
    config: first,
    clock: systemClock,
    log: silentLog,
  }).session()
  const undo: (() => Promise<unknown>)[] = []
  const send: RealCloud['send'] = async (type, method, path, body) => {
    const endpoint = { type, interfaces: ['public'], region: null, name: null, override: null }
    const base = await session.endpoint(endpoint)
    const version = /\/v\d/.test(base) ? '' : `/${VERSIONS[type]}`
    const request = { method, ...(body === undefined ? {} : { body }) }
    const answer = await session.request(`${base}${version}${path}`, request)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status}`)
    return answer.body
  }
  const named = (list: Json[], name: string) =>
    present(
      list.find((row) => row.name === name),
      name,
    )
  const { flavors } = await send('compute', 'GET', '/flavors')
  const { networks } = await send('network', 'GET', '/networks?name=lb-mgmt-net')
  const { images } = await send('image', 'GET', '/images?name=lab-test')
  const image = named(images, 'lab-test')
  if (!image.tags.includes(IMAGE_TAG))
    await send('image', 'PUT', `/images/${image.id}/tags/${IMAGE_TAG}`)
  const config = configOf({
    amp_flavor_id: `"${named(flavors, 'm1.lab').id}"`,
    amp_boot_network_list: `["${named(networks, 'lb-mgmt-net').id}"]`,
  })
  return {
    config,
    send,
    openstack: () =>
      openOpenStack({ deployment: '0123456789abcdef', config, clock: systemClock, log: silentLog }),
    makeNetwork: async (cidr) => {
      const name = `octavia-lite-lab-${crypto.randomUUID().slice(0, 8)}`
      const { network } = await send('network', 'POST', '/networks', { network: { name } })
      undo.push(() => send('network', 'DELETE', `/networks/${network.id}`))
      const ip_version = cidr.includes(':') ? 6 : 4
      const subnet = { network_id: network.id, cidr, ip_version, name }
      await send('network', 'POST', '/subnets', { subnet })
      return network.id
    },
    cleanUp: async () => {
      for (const step of undo.splice(0).reverse()) await step()
    },
  }
}

function configOf(values: Readonly<Record<string, string>>): Config {
  const around = { root: false, home: '/nonexistent', hostname: 'lab' }
  const { config, problems } = checkConfig(openStackText(values), around)
  return present(config, JSON.stringify(problems))
}
