/**
 * Compute on this machine: an amphora is a set of namespaces (network, mount, process, host name)
 * in which the agent runs. Its files are below /etc/octavia, which is a folder of its own in our
 * state.
 */
import { dirname, join, normalize } from 'node:path'
import { assert } from '../../system/assert.ts'
import { makeFolder, SECRET_MODE, writeFileAtomic } from '../../system/files.ts'
import { parseUuid } from '../../system/ids.ts'
import type { ComputeDriver, Instance, InstanceRequest } from '../compute.ts'
import { DriverError } from '../error.ts'
import type { InstanceState, Instances } from './instances.ts'
import type { LinkKeeper } from './link-keeper.ts'
import { managementPortName } from './naming.ts'
import { INSTANCE_OWNER, type LocalPorts, wishIn } from './ports.ts'
import type { InstanceRecord, LocalState, PortRecord } from './state.ts'
import type { Topology } from './topology.ts'

export interface LocalComputeDeps {
  readonly state: LocalState
  readonly topology: Topology
  readonly ports: LocalPorts
  readonly instances: Instances
  readonly keeper: LinkKeeper
  /** Called before an instance is made. */
  readonly prepareHost: () => void
}

/** The only folder an instance's files may be in. */
const FILES_FOLDER = '/etc/octavia/'
const FILES_MAX = 64
const STATUS = { booting: 'BUILD', running: 'ACTIVE', ended: 'ERROR' } as const satisfies Record<
  InstanceState,
  Instance['status']
>

/** An instance's compute_id is the id of its amphora. */
export function createLocalCompute(
  deps: LocalComputeDeps,
): Pick<ComputeDriver, 'build' | 'find' | 'delete'> {
  const { state, instances } = deps
  return {
    build: (request) => {
      const { amphora_id } = request
      assert(parseUuid(amphora_id) === amphora_id, 'an amphora id is a UUID')
      return instances.exclusively(amphora_id, async () => {
        deps.prepareHost()
        if (state.findInstance(amphora_id) === undefined) record(deps, request)
        await instances.ensureRunning(amphora_id)
        return { compute_id: amphora_id }
      })
    },

    find: async (amphora_id) => {
      const instance = state.findInstance(amphora_id)
      return instance === undefined ? undefined : describe(deps, instance)
    },

    delete: (amphora_id) => {
      assert(parseUuid(amphora_id) === amphora_id, 'an amphora id is a UUID')
      return instances.exclusively(amphora_id, async () => {
        await instances.end(amphora_id)
        state.removeInstance(amphora_id)
        const ports = [...state.ports].filter((port) => isPortOf(port, amphora_id))
        for (const port of ports) deps.ports.remove(port)
        if (ports.length > 0) await deps.keeper.reconcile()
      })
    },
  }
}

/** Files and port first: once the instance is on record, everything it needs to start is there. */
function record({ state, ports, topology }: LocalComputeDeps, request: InstanceRequest): void {
  const { amphora_id, load_balancer_id, name } = request
  const folder = state.folderOf(amphora_id)
  makeFolder(join(folder, 'etc'))
  makeFolder(join(folder, 'lib'))
  for (const [path, content] of checkedFiles(request)) {
    const target = join(folder, 'etc', path)
    makeFolder(dirname(target))
    writeFileAtomic(target, content, SECRET_MODE)
  }
  const port =
    ports.find((p) => isPortOf(p, amphora_id) && p.name === managementPortName(amphora_id)) ??
    ports.create({
      name: managementPortName(amphora_id),
      network: topology.management,
      device_id: amphora_id,
      device_owner: INSTANCE_OWNER,
      link: 'instance',
      addresses: [wishIn(topology.management, null)],
    })
  state.putInstance({ amphora_id, load_balancer_id, name, port_id: port.id })
}

/** Paths below FILES_FOLDER, relative to it. */
function checkedFiles(request: InstanceRequest): [path: string, content: string][] {
  const files = Object.entries(request.files)
  assert(files.length <= FILES_MAX, 'the files of an instance are few')
  return files.map(([path, content]) => {
    const inside = normalize(path) === path && path.startsWith(FILES_FOLDER) && !path.endsWith('/')
    if (inside) return [path.slice(FILES_FOLDER.length), content]
    throw new DriverError({
      operation: 'build',
      subject: `amphora ${request.amphora_id}`,
      reason: `${path} is not a file below ${FILES_FOLDER}`,
      retryable: false,
    })
  })
}

function isPortOf(port: PortRecord, amphora_id: string): boolean {
  return port.link === 'instance' && port.device_id === amphora_id
}

function describe({ state, instances }: LocalComputeDeps, instance: InstanceRecord): Instance {
  const now = instances.stateOf(instance.amphora_id)
  return {
    compute_id: instance.amphora_id,
    status: STATUS[now],
    lb_network_ip: state.findPort(instance.port_id)?.fixed_ips[0]?.ip_address ?? null,
    zone: null,
    image_id: null,
    compute_flavor: null,
    fault: now === 'ended' ? 'its processes have ended' : null,
  }
}
