/**
 * Whether what was set up works together, as `serve` will use it: with its configuration, as its
 * user, from this host. Nothing is changed.
 */
import { networkInterfaces } from 'node:os'
import type { Config } from '../../config/options.ts'
import { DriverError } from '../../driver/error.ts'
import { record, text } from '../../driver/openstack/json.ts'
import type { Clock } from '../../system/clock.ts'
import { errorText, type Log } from '../../system/log.ts'
import { type Cloud, openCloud } from './cloud.ts'

export interface Finding {
  readonly what: string
  /** null: right. Else what is wrong, with what to do where it is known. */
  readonly problem: string | null
}

const ANSWER_MS = 5_000

export async function checkSetup(
  deps: { readonly clock: Clock; readonly log: Log },
  config: Config,
  url: string,
): Promise<readonly Finding[]> {
  const cloud = openCloud(deps, settingsOf(config))
  const login = await finding('our user logs in', () => cloud.check())
  if (login.problem !== null) return [login]
  const worker = config.controller_worker
  const [network = ''] = worker.amp_boot_network_list
  return [
    login,
    await finding('flavor of amphorae', () =>
      needs(cloud.nova, `/flavors/${worker.amp_flavor_id}`),
    ),
    await finding('image of amphorae', () => needsImage(cloud, config)),
    await finding('management network', () => needs(cloud.neutron, `/networks/${network}`)),
    ...(await Promise.all(
      worker.amp_secgroup_list.map((id) =>
        finding(`security group ${id}`, () => needs(cloud.neutron, `/security-groups/${id}`)),
      ),
    )),
    await finding('interface on the management network', () => needsInterface(config)),
    await finding(`API at ${url}`, () => needsApi(url)),
  ]
}

class Wrong extends Error {}

async function finding(what: string, look: () => Promise<void>): Promise<Finding> {
  try {
    await look()
    return { what, problem: null }
  } catch (error) {
    if (!(error instanceof DriverError || error instanceof Wrong)) throw error
    return { what, problem: errorText(error) }
  }
}

async function needs(api: Cloud['nova'], path: string): Promise<void> {
  if ((await api.get(path, path)) === undefined) throw new Wrong(`${path} is not there`)
}

async function needsImage({ glance }: Cloud, { controller_worker: worker }: Config): Promise<void> {
  const { amp_image_tag: tag, amp_image_owner_id: owner } = worker
  const query = new URLSearchParams({ tag, status: 'active', ...(owner === '' ? {} : { owner }) })
  const images = await glance.list(`/images?${query}`, 'images', `tag ${tag}`)
  if (images.length === 0)
    throw new Wrong(`none has the tag ${tag}: octavia-lite image upload FILE --tag ${tag}`)
}

async function needsInterface(config: Config): Promise<void> {
  const { lb_network_interface: name } = config.haproxy_amphora
  if (networkInterfaces()[name] !== undefined) return
  const own = config.health_manager.management_port !== 'none'
  throw new Wrong(
    own ? `${name} is not there; serve makes it when it starts` : `${name} is not there`,
  )
}

/** Whoever answers there must be this service. */
async function needsApi(url: string): Promise<void> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const response = await fetch(url, { signal, proxy: false } as BunFetchRequestInit)
    const versions = record(await response.json())?.versions
    if (!Array.isArray(versions) || text(record(versions[0])?.id) === undefined)
      throw new Wrong('something else answers there')
  } catch (error) {
    if (error instanceof Wrong) throw error
    throw new Wrong(`no answer (${errorText(error)}); start octavia-lite serve`)
  }
}

function settingsOf({ service_auth: auth, nova }: Config) {
  const given = {
    auth_url: auth.auth_url,
    username: auth.username,
    user_id: auth.user_id,
    password: auth.password,
    user_domain_name: auth.user_domain_name,
    user_domain_id: auth.user_domain_id,
    project_name: auth.project_name,
    project_id: auth.project_id,
    project_domain_name: auth.project_domain_name,
    project_domain_id: auth.project_domain_id,
    application_credential_id: auth.application_credential_id,
    application_credential_name: auth.application_credential_name,
    application_credential_secret: auth.application_credential_secret,
    region_name: nova.region_name,
    cacert: auth.cafile,
    insecure: auth.insecure ? 'true' : null,
  }
  const set = Object.entries(given).filter(([, value]) => value !== null)
  return Object.fromEntries(set) as { [K in keyof typeof given]?: string }
}
