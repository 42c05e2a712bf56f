/** Fakes of all services of a cloud, and clients of them with a clock that jumps. */
import type { NetworkDriver } from '../../../src/driver/network.ts'
import { createNovaCompute, type NovaOptions } from '../../../src/driver/openstack/compute.ts'
import { createImages } from '../../../src/driver/openstack/image.ts'
import { createNeutronNetwork } from '../../../src/driver/openstack/network.ts'
import { createService, type Service } from '../../../src/driver/openstack/service.ts'
import { createSession, type Session } from '../../../src/driver/openstack/session.ts'
import { createVolumes, type VolumeOptions } from '../../../src/driver/openstack/volume.ts'
import { createLog, type Log } from '../../../src/system/log.ts'
import { createFakeClock, type FakeClock } from '../../fake/clock.ts'
import { createFakeKeystone, type FakeKeystone, SERVICE_PASSWORD } from '../../fake/keystone.ts'
import { createFakeNeutron, type FakeNeutron } from '../../fake/neutron.ts'
import {
  createFakeCinder,
  createFakeGlance,
  createFakeNova,
  type FakeCinder,
  type FakeGlance,
  type FakeNova,
} from '../../fake/nova.ts'

const NAMED = { id: null, name: 'octavia', domain_id: 'default', domain_name: null }
export const TRANSPORT = {
  tls: { ca: null, cert: null, key: null, insecure: false },
  timeout_ms: 5_000,
  connect_retries: 2,
}

/** Of the controller that the clients here are of. */
export const DEPLOYMENT = '0123456789abcdef'

const NOVA_OPTIONS: NovaOptions = {
  amp_flavor_id: 'amphora',
  amp_image_tag: 'amphora',
  amp_image_owner_id: '',
  amp_ssh_key_name: '',
  amp_timezone: 'UTC',
  amp_boot_network_list: [],
  amp_secgroup_list: ['lb-mgmt-sec-grp'],
  availability_zone: null,
  random_amphora_name_length: 0,
  enable_anti_affinity: true,
  anti_affinity_policy: 'soft-anti-affinity',
  more_files: {},
  deployment: DEPLOYMENT,
}
const VOLUME_OPTIONS: VolumeOptions = {
  volume_size: 16,
  volume_type: null,
  availability_zone: null,
  volume_create_retry_interval: 5,
  volume_create_timeout: 300,
  volume_create_max_retries: 2,
  deployment: DEPLOYMENT,
}

export interface FakeCloudServices {
  readonly clock: FakeClock
  readonly keystone: FakeKeystone
  readonly neutron: FakeNeutron
  readonly nova: FakeNova
  readonly glance: FakeGlance
  readonly cinder: FakeCinder
  /** Of lb-mgmt-net. */
  readonly management_network: string
  readonly session: Session
  readonly log: Log
  readonly lines: readonly string[]
  /** Takes a service away for so long. */
  outage(service: Pick<FakeNova, 'goDown' | 'comeUp'>, ms: number): void
  network(): NetworkDriver
  /** Another client, as those of the drivers are. */
  client(title: string, type: string, version: string): Service
  compute(
    over?: Partial<NovaOptions> & { readonly volumes?: boolean },
  ): ReturnType<typeof createNovaCompute>
  stop(): Promise<void>
}

export function openFakeServices(): FakeCloudServices {
  const clock = createFakeClock({ jump: true })
  const returns: { readonly at: number; readonly comeUp: () => void }[] = []
  const sleep = clock.sleep
  /** Who waits sees who has come back meanwhile. */
  clock.sleep = async (ms, signal) => {
    await sleep(ms, signal)
    for (const each of returns.splice(0))
      if (clock.now() >= each.at) each.comeUp()
      else returns.push(each)
  }
  const keystone = createFakeKeystone({ now: clock.now })
  const neutron = createFakeNeutron(keystone)
  const nova = createFakeNova(keystone, neutron)
  const glance = createFakeGlance(keystone)
  const cinder = createFakeCinder(keystone)
  const management_network: string = neutron.addNetwork(['172.16.0.0/22']).id
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const log = createLog({ format: 'json', level: () => 'debug', write, now: clock.now })
  const scope = { kind: 'project', project: { ...NAMED, name: 'service' } } as const
  const password = SERVICE_PASSWORD
  const session = createSession(
    { clock },
    {
      auth_url: keystone.url,
      credentials: { kind: 'password', user: NAMED, password, scope },
      ...TRANSPORT,
    },
  )
  const client = (title: string, type: string, version: string) =>
    createService(
      { clock, log, session },
      {
        title,
        version,
        endpoint: { type, interfaces: ['public'], region: null, name: null, override: null },
        transport: TRANSPORT,
        status_retries: 3,
      },
    )
  const compute: FakeCloudServices['compute'] = ({ volumes = false, ...over } = {}) =>
    createNovaCompute(
      {
        service: client('Nova', 'compute', 'v2.1'),
        images: createImages(client('Glance', 'image', 'v2'), log),
        volumes: volumes
          ? createVolumes({ service: client('Cinder', 'volumev3', 'v3'), clock }, VOLUME_OPTIONS)
          : null,
      },
      { ...NOVA_OPTIONS, amp_boot_network_list: [management_network], ...over },
    )
  return {
    ...{ clock, keystone, neutron, nova, glance, cinder, management_network, session, log, lines },
    compute,
    client,
    outage: (service, ms) => {
      void service.goDown()
      returns.push({ at: clock.now() + ms, comeUp: service.comeUp })
    },
    network: () =>
      createNeutronNetwork(
        {
          service: client('Neutron', 'network', 'v2.0'),
          attachments: compute().attachments,
          projectId: session.projectId,
          clock,
        },
        {
          ...{ port_detach_timeout: 300, allow_invisible_resource_usage: false },
          deployment: DEPLOYMENT,
        },
      ),
    stop: async () => {
      for (const service of [neutron, nova, glance, cinder, keystone]) await service.stop()
    },
  }
}
