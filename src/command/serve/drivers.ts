/** Names of drivers to implementations: the only place that knows both. */
import type { CertManagerName } from '../../config/options/certificates.ts'
import { NO_GATEWAY } from '../../config/options/local-cloud.ts'
import type {
  AmphoraDriverName,
  ComputeDriverName,
  NetworkDriverName,
} from '../../config/options/worker.ts'
import type { Config } from '../../config/options.ts'
import {
  type Additions,
  AdditionsError,
  parseAdditions,
} from '../../dataplane/haproxy/additions.ts'
import type { AmphoraDriver } from '../../driver/amphora.ts'
import type { CertificateGenerator } from '../../driver/certificate.ts'
import type { CertificateManager } from '../../driver/certificate-manager.ts'
import type { ComputeDriver } from '../../driver/compute.ts'
import { type CaFiles, createLocalCertificateGenerator } from '../../driver/local/certificate.ts'
import { createLocalCertificateManager } from '../../driver/local/certificate-manager.ts'
import { createLocalCloud, DEFAULT_MANAGEMENT, type LocalCloud } from '../../driver/local/cloud.ts'
import type { SubnetOptions } from '../../driver/local/topology.ts'
import type { NetworkDriver } from '../../driver/network.ts'
import { createNoopAmphora } from '../../driver/noop/amphora.ts'
import { createNoopCertificateGenerator } from '../../driver/noop/certificate.ts'
import { createNoopCertificateManager } from '../../driver/noop/certificate-manager.ts'
import { createNoopCompute } from '../../driver/noop/compute.ts'
import { createNoopNetwork } from '../../driver/noop/network.ts'
import { createBarbicanCertificateManager } from '../../driver/openstack/certificate-manager.ts'
import { createManagementHost } from '../../driver/openstack/management-host.ts'
import { ManagementInterface } from '../../driver/openstack/management-interface.ts'
import { createNeutron } from '../../driver/openstack/neutron.ts'
import { createRestAmphoraDriver } from '../../driver/rest/amphora.ts'
import { createTransport } from '../../driver/rest/transport.ts'
import { createVaultManager } from '../../secret/certificate-manager.ts'
import type { Vault } from '../../secret/vault.ts'
import type { Store } from '../../store/store.ts'
import { systemClock } from '../../system/clock.ts'
import { systemLauncher } from '../../system/detached.ts'
import type { Log } from '../../system/log.ts'
import { systemProcesses } from '../../system/process.ts'
import { CommandFailure, EXIT } from '../io.ts'
import type { DataFolder } from './data-folder.ts'
import { type OpenStack, openOpenStack } from './openstack.ts'
import { readPem } from './pem.ts'

export interface Drivers {
  readonly network: NetworkDriver
  readonly compute: ComputeDriver
  readonly amphora: AmphoraDriver
  readonly certificates: CertificateGenerator
  readonly certificateManager: CertificateManager
  /** PEM of the CA which agents trust. */
  readonly clientCa: string
  /** Where the local cloud is used, it has to be started and looked after. */
  readonly cloud: LocalCloud | undefined
  /** Where serve makes its own way onto the management network; likewise. */
  readonly management: ManagementInterface | undefined
}

export interface Place {
  readonly config: Config
  readonly folder: DataFolder
  readonly store: Pick<Store, 'read'>
  /** undefined where secrets are kept elsewhere. */
  readonly vault: Vault | undefined
  readonly log: Log
  /** The octavia-lite that runs in amphorae of the local cloud; absolute. */
  readonly agentExecutable: string
}

export function createDrivers(place: Place): Drivers {
  const { config, folder, store, vault } = place
  const { network_driver, compute_driver, amphora_driver } = config.controller_worker
  const cloud =
    network_driver === 'local' || compute_driver === 'local' ? openLocalCloud(place) : undefined
  const local = (): LocalCloud => {
    if (cloud === undefined) throw new CommandFailure('the local cloud is not configured')
    return cloud
  }
  const openstack = openOpenStack({
    ...{ config, log: place.log, clock: systemClock },
    deployment: folder.deployment,
  })
  const networks: Record<NetworkDriverName, () => NetworkDriver> = {
    local: () => local().network,
    allowed_address_pairs_driver: openstack.network,
    network_noop_driver: createNoopNetwork,
  }
  const computes: Record<ComputeDriverName, () => ComputeDriver> = {
    local: () => local().compute,
    compute_nova_driver: openstack.compute,
    compute_noop_driver: createNoopCompute,
  }
  const amphorae: Record<AmphoraDriverName, () => AmphoraDriver> = {
    amphora_haproxy_rest_driver: () => openRestDriver(place),
    amphora_noop_driver: createNoopAmphora,
  }
  const storage_path = config.certificates.storage_path ?? folder.certificates
  const managers: Record<CertManagerName, () => CertificateManager> = {
    local_cert_manager: () => {
      const files = createLocalCertificateManager({ storage_path })
      return vault === undefined ? files : createVaultManager({ vault, read: store.read }, files)
    },
    barbican_cert_manager: () => openBarbican(place),
    noop_cert_manager: createNoopCertificateManager,
  }
  const { client_ca } = config.controller_worker
  return {
    network: networks[network_driver](),
    compute: computes[compute_driver](),
    amphora: amphorae[amphora_driver](),
    certificates: openGenerator(place),
    certificateManager: managers[config.certificates.cert_manager](),
    clientCa: client_ca === null ? folder.clientCa.certificate : readPem(client_ca),
    cloud,
    management: openManagement(place, openstack),
  }
}

function openManagement(
  { config, folder, log }: Place,
  openstack: OpenStack,
): ManagementInterface | undefined {
  const { management_port, management_port_security_groups, bind_port } = config.health_manager
  const [network_id] = config.controller_worker.amp_boot_network_list
  if (management_port === 'none' || network_id === undefined) return undefined
  const host = createManagementHost(systemProcesses, {
    interface: config.haproxy_amphora.lb_network_interface,
    heartbeat_port: bind_port,
  })
  const neutron = createNeutron(openstack.neutron())
  return new ManagementInterface(
    { neutron, host, clock: systemClock, log, file: folder.managementPort },
    {
      network_id,
      host: config.DEFAULT.host,
      security_groups: management_port_security_groups,
      plugging: management_port === 'auto' ? null : management_port,
    },
  )
}

function openBarbican({ config, folder, log }: Place): CertificateManager {
  const openstack = openOpenStack({
    ...{ config, clock: systemClock, log },
    deployment: folder.deployment,
  })
  const named = { title: 'Barbican', type: 'key-manager', version: 'v1' }
  return createBarbicanCertificateManager({
    barbican: openstack.service(named, config.certificates),
    userId: () => openstack.session().userId(),
  })
}

export function openLocalCloud({
  config,
  folder,
  log,
  agentExecutable,
}: Omit<Place, 'store' | 'vault'>): LocalCloud {
  const { networks, management_cidr, management_host_ip } = config.local_cloud
  return createLocalCloud(
    { processes: systemProcesses, launcher: systemLauncher, clock: systemClock, log },
    {
      state_dir: folder.cloud,
      networks: networks.map((network) => ({
        ...subnetOptions(network),
        name: network.name,
        host_access: network.host_access,
        mtu: network.mtu,
        ...(network.id === null ? {} : { id: network.id }),
        more_subnets: network.subnets.map(subnetOptions),
      })),
      management: {
        ...DEFAULT_MANAGEMENT,
        cidr: management_cidr,
        host_address: management_host_ip,
        host_interface: config.haproxy_amphora.lb_network_interface,
      },
      agent_command: [agentExecutable, 'agent'],
    },
  )
}

type ConfiguredNetwork = Config['local_cloud']['networks'][number]
type ConfiguredSubnet = Pick<
  ConfiguredNetwork,
  'cidr' | 'gateway_ip' | 'allocation_start' | 'allocation_end' | 'host_routes'
> & { readonly name: string | null }

function subnetOptions(subnet: ConfiguredSubnet): SubnetOptions {
  const { name, cidr, gateway_ip, allocation_start, allocation_end, host_routes } = subnet
  return {
    cidr,
    host_routes,
    ...(name === null ? {} : { name }),
    ...(gateway_ip === null ? {} : { gateway_ip: gateway_ip === NO_GATEWAY ? null : gateway_ip }),
    ...(allocation_start === null || allocation_end === null
      ? {}
      : { allocation: { first: allocation_start, last: allocation_end } }),
  }
}

/**
 * A key takes longer than all else, so none is made where no agent will ever show a certificate.
 */
function openGenerator({ config, folder }: Place): CertificateGenerator {
  const deps = { clock: systemClock }
  const validity_s = config.certificates.cert_validity_time
  return config.controller_worker.compute_driver === 'compute_noop_driver'
    ? createNoopCertificateGenerator(deps, { validity_s })
    : createLocalCertificateGenerator(deps, { ca: serverCa(config, folder), validity_s })
}

function openRestDriver({ config, folder }: Place): AmphoraDriver {
  const { client_cert, server_ca, bind_port, ...haproxy } = config.haproxy_amphora
  const { user_log_facility, administrative_log_facility, agent_tls_protocol } =
    config.amphora_agent
  const client = client_cert === null ? folder.client : splitPem(readPem(client_cert))
  const tls = {
    cert: client.certificate,
    key: client.key,
    ca: server_ca === null ? folder.serverCa.certificate : readPem(server_ca),
  }
  const connect_s = haproxy.rest_request_conn_timeout
  const transport = {
    port: bind_port,
    timeout_ms: (connect_s + haproxy.rest_request_read_timeout) * 1000,
    get_timeout_ms: connect_s * 1000,
    tls_protocol: agent_tls_protocol,
  }
  return createRestAmphoraDriver({
    connect: (address) => createTransport(tls, transport, address),
    options: {
      ...haproxy,
      ...config.keepalived_vrrp,
      user_log_facility,
      administrative_log_facility,
      own_memory: config.controller_worker.compute_driver !== 'local',
      additions: readAdditions(haproxy.haproxy_template),
    },
  })
}

function readAdditions(path: string | null): Additions {
  if (path === null) return {}
  try {
    return parseAdditions(readPem(path))
  } catch (cause) {
    if (!(cause instanceof AdditionsError)) throw cause
    throw new CommandFailure(`haproxy_template ${path}: ${cause.message}`, EXIT.failure, cause)
  }
}

/** A file with both, in any order, as upstream's client_cert. */
function splitPem(text: string): { readonly certificate: string; readonly key: string } {
  const blocks = text.match(/-----BEGIN ([^-]+)-----[^-]+-----END \1-----/g) ?? []
  const of = (kind: RegExp): string => blocks.filter((block) => kind.test(block)).join('\n')
  return { certificate: of(/BEGIN CERTIFICATE-/), key: of(/PRIVATE KEY-/) }
}

/** The operator's CA where one is configured, else the one made at first start. */
function serverCa(config: Config, folder: DataFolder): CaFiles {
  const { ca_certificate, ca_private_key, ca_private_key_passphrase } = config.certificates
  if (ca_certificate === null || ca_private_key === null) return folder.serverCa
  const files = { certificate: readPem(ca_certificate), key: readPem(ca_private_key) }
  if (ca_private_key_passphrase === null) return files
  return { ...files, passphrase: ca_private_key_passphrase }
}
