/**
 * The services of an OpenStack cloud as the configuration names them: who we are to Keystone, and
 * which endpoint of each service. Sections are upstream's, so that an octavia.conf means the same.
 */
import type { Config } from '../../config/options.ts'
import { RSYSLOG_PATH, renderRsyslog } from '../../contract/rsyslog.ts'
import type { ComputeDriver } from '../../driver/compute.ts'
import type { NetworkDriver } from '../../driver/network.ts'
import { noAttachments } from '../../driver/openstack/attachments.ts'
import { createNovaCompute } from '../../driver/openstack/compute.ts'
import type { Credentials, Scope } from '../../driver/openstack/credentials.ts'
import type { SessionTls, TransportOptions } from '../../driver/openstack/http.ts'
import { createImages } from '../../driver/openstack/image.ts'
import { createNeutronNetwork } from '../../driver/openstack/network.ts'
import { createService, type Service } from '../../driver/openstack/service.ts'
import { createSession, type Session } from '../../driver/openstack/session.ts'
import { createVolumes } from '../../driver/openstack/volume.ts'
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { readPem } from './pem.ts'
import { logging } from './settings.ts'

export interface OpenStackDeps {
  readonly config: Config
  /** By which what is made says who made it. */
  readonly deployment: string
  readonly clock: Clock
  readonly log: Log
}

/** Opened when first asked for, so that a configuration without a cloud needs none of it. */
export interface OpenStack {
  network(): NetworkDriver
  compute(): ComputeDriver
  neutron(): Service
  /** Another service, found as these are, by options of their form. */
  service(named: ServiceName, options: CatalogueOptions): Service
  /** As the user of [service_auth]. */
  session(): Session
}

/** What is fixed about a service. */
export interface ServiceName {
  /** For people. */
  readonly title: string
  /** In the catalogue. */
  readonly type: string
  readonly version: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The options by which upstream finds a service. */
export interface CatalogueOptions {
  readonly service_name: string | null
  readonly endpoint: string | null
  readonly region_name: string | null
  readonly endpoint_type: string
  readonly ca_certificates_file: string | null
  readonly insecure: boolean
}

/**
 * 2.15 has soft-anti-affinity, and is old enough to take files of an instance, which 2.57 does not.
 */
const NOVA_MICROVERSION = '2.15'
export const NOVA: ServiceName = {
  title: 'Nova',
  type: 'compute',
  version: 'v2.1',
  headers: {
    'openstack-api-version': `compute ${NOVA_MICROVERSION}`,
    'x-openstack-nova-api-version': NOVA_MICROVERSION,
  },
}
export const GLANCE: ServiceName = { title: 'Glance', type: 'image', version: 'v2' }
export const CINDER: ServiceName = { title: 'Cinder', type: 'volumev3', version: 'v3' }

/** Plugging a port in takes Nova tens of seconds on a busy host. */
const TIMEOUT_S = 60
const CONNECT_RETRIES = 3
const STATUS_RETRIES = 3

export function openOpenStack(deps: OpenStackDeps): OpenStack {
  const { config, deployment } = deps
  const own = config.service_auth
  const once = <T>(make: () => T): (() => T) => {
    let made: T | undefined
    return () => (made ??= make())
  }
  const session = once(() => createSession(deps, sessionOptions(own)))
  const service = (named: ServiceName, options: CatalogueOptions): Service => {
    const { service_name: name, endpoint: override, region_name: region } = options
    const tls = tlsOf(own, options)
    return createService(
      { ...deps, session: session() },
      {
        ...named,
        endpoint: { type: named.type, interfaces: [options.endpoint_type], region, name, override },
        transport: { ...transportOf(own), tls },
        status_retries: STATUS_RETRIES,
      },
    )
  }
  const neutron = once(() => openNeutron(deps, session))
  const isNova = config.controller_worker.compute_driver === 'compute_nova_driver'
  const nova = once(() =>
    createNovaCompute(
      {
        service: service(NOVA, config.nova),
        images: createImages(service(GLANCE, config.glance), deps.log),
        volumes:
          config.controller_worker.volume_driver === 'volume_cinder_driver'
            ? createVolumes(
                { ...deps, service: service(CINDER, config.cinder) },
                { ...config.cinder, deployment },
              )
            : null,
      },
      {
        ...{ ...config.controller_worker, ...config.nova, deployment },
        more_files: filesOf(config),
      },
    ),
  )
  return {
    session,
    service,
    network: () => {
      const { service, projectId } = neutron()
      const attachments = isNova ? nova().attachments : noAttachments
      return createNeutronNetwork(
        { service, clock: deps.clock, projectId, attachments },
        { ...neutronOptions(config), deployment },
      )
    },
    neutron: () => neutron().service,
    compute: nova,
  }
}

/** Upstream's images have an rsyslog, which sends the logs; ours knows from the agent's file. */
function filesOf({ amphora_agent }: Config): Readonly<Record<string, string>> {
  const rsyslog = renderRsyslog(logging(amphora_agent))
  return rsyslog === '' ? {} : { [RSYSLOG_PATH]: rsyslog }
}

/** Only Keystone's tokens mean something to Neutron. */
function neutronOptions({ networking, api_settings }: Config) {
  const { port_detach_timeout, allow_invisible_resource_usage: allowed } = networking
  const unknown = api_settings.auth_strategy !== 'keystone'
  return { port_detach_timeout, allow_invisible_resource_usage: allowed || unknown }
}

/**
 * Neutron has options of its own for everything; what is not set there is taken from
 * [service_auth], as upstream does. With the same user both share one token.
 */
function openNeutron(
  deps: OpenStackDeps,
  shared: () => Session,
): { readonly service: Service; projectId(): Promise<string | null> } {
  const { config } = deps
  const auth = neutronAuth(config)
  const isShared =
    JSON.stringify(credentialsOf(auth)) === JSON.stringify(credentialsOf(config.service_auth))
  const { neutron } = config
  const session = isShared ? shared() : createSession(deps, sessionOptions(auth))
  const service = createService(
    { ...deps, session },
    {
      title: 'Neutron',
      version: 'v2.0',
      endpoint: {
        type: neutron.service_type ?? 'network',
        interfaces: neutron.valid_interfaces ?? ['public'],
        region: neutron.region_name,
        name: neutron.service_name,
        override: neutron.endpoint_override,
      },
      transport: {
        ...transportOf(auth),
        connect_retries: neutron.connect_retries ?? CONNECT_RETRIES,
      },
      status_retries: neutron.status_code_retries ?? STATUS_RETRIES,
    },
  )
  return { service, projectId: () => session.projectId() }
}

export type AuthSection = Omit<Config['service_auth'], 'memcached_servers'>

function neutronAuth({ neutron, service_auth }: Config): AuthSection {
  const merged = Object.entries(service_auth).map(([name, value]) => {
    const given = neutron[name as keyof AuthSection]
    // An option without a default is null where it is not set; switches are off.
    return [name, given === null || given === undefined || given === false ? value : given]
  })
  return Object.fromEntries(merged) as AuthSection
}

function sessionOptions(auth: AuthSection) {
  return {
    auth_url: auth.auth_url ?? '',
    credentials: credentialsOf(auth),
    ...transportOf(auth),
  }
}

function transportOf(auth: AuthSection): TransportOptions {
  return {
    tls: tlsOf(auth),
    timeout_ms: (auth.timeout || TIMEOUT_S) * 1000,
    connect_retries: CONNECT_RETRIES,
  }
}

/** Of a section, with what a service has of its own. */
export function tlsOf(
  auth: Pick<AuthSection, 'cafile' | 'certfile' | 'keyfile' | 'insecure'>,
  own?: Pick<CatalogueOptions, 'ca_certificates_file' | 'insecure'>,
): SessionTls {
  const read = (path: string | null): string | null => (path === null ? null : readPem(path))
  return {
    ca: read(own?.ca_certificates_file ?? auth.cafile),
    cert: read(auth.certfile),
    key: read(auth.keyfile),
    insecure: auth.insecure || own?.insecure === true,
  }
}

export function credentialsOf(options: AuthSection): Credentials {
  const user = {
    id: options.user_id,
    name: options.username,
    domain_id: options.user_domain_id ?? options.default_domain_id,
    domain_name: options.user_domain_name ?? options.default_domain_name,
  }
  if (options.auth_type === 'v3applicationcredential')
    return {
      kind: 'application_credential',
      id: options.application_credential_id,
      name: options.application_credential_name,
      user,
      secret: options.application_credential_secret ?? '',
    }
  const password = options.password ?? ''
  return { kind: 'password', user, password, scope: scopeOf(options) }
}

function scopeOf(options: AuthSection): Scope {
  const id = options.project_id ?? options.tenant_id
  const name = options.project_name ?? options.tenant_name
  if (id !== null || name !== null)
    return {
      kind: 'project',
      project: {
        id,
        name,
        domain_id: options.project_domain_id ?? options.default_domain_id,
        domain_name: options.project_domain_name ?? options.default_domain_name,
      },
    }
  if (options.domain_id !== null || options.domain_name !== null)
    return { kind: 'domain', id: options.domain_id, name: options.domain_name }
  if (options.system_scope !== null) return { kind: 'system' }
  return options.trust_id === null ? { kind: 'none' } : { kind: 'trust', id: options.trust_id }
}
