/** This host's port on the management network. Its interface is made by serve. */
import { createManagementHost, type HostOptions } from '../../driver/openstack/management-host.ts'
import { removeManagementInterface } from '../../driver/openstack/management-interface.ts'
import { ensureManagementPort, findManagementPort } from '../../driver/openstack/management-port.ts'
import { createNeutron } from '../../driver/openstack/neutron.ts'
import { systemProcesses } from '../../system/process.ts'
import type { Cloud } from './cloud.ts'
import type { Ids, Thing } from './thing.ts'

export interface ManagementPlan extends HostOptions {
  /** As Neutron's agents call this machine. */
  readonly host: string
  /** Where serve remembers the port. */
  readonly file: string
}

export function managementThing(cloud: Cloud, plan: ManagementPlan): Thing {
  const { host, file } = plan
  const neutron = createNeutron(cloud.neutronService)
  const wish = (ids: Ids) => ({
    network_id: ids.get('network'),
    host,
    security_groups: [ids.get('group-controller')],
    plugging: null,
  })
  return {
    key: 'management-port',
    title: `port of ${host} on the management network`,
    find: async (ids) => {
      if (ids.find('network') === undefined || ids.find('group-controller') === undefined)
        return undefined
      return await findManagementPort(neutron, wish(ids))
    },
    make: async (ids) => (await ensureManagementPort(neutron, wish(ids), null)).id,
    remove: async (id) => {
      const doing = { operation: 'setup', subject: `port of ${host}` }
      const machine = createManagementHost(systemProcesses, plan)
      // Serve makes another where the first was deleted.
      const latest = await removeManagementInterface({ host: machine, file })
      for (const each of new Set([id, latest ?? id])) await neutron.remove('ports', each, doing)
    },
  }
}
