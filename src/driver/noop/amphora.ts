/** An agent that agrees to everything. */
import type { AmphoraDriver } from '../amphora.ts'

export function createNoopAmphora(): AmphoraDriver {
  return {
    imaginary: true,
    getInfo: async ({ id }) => ({
      hostname: `amphora-${id}`,
      haproxy_version: '2.6.0',
      api_version: '1.0',
      keepalived_version: '2.2.0',
    }),
    plugVip: async () => {},
    plugMember: async () => {},
    updateListeners: async () => new Map(),
    findInterface: async () => 'eth1',
    updateVrrp: async () => {},
    setVipRules: async () => {},
    updateAgentConfig: async () => {},
    updateCertificate: async () => {},
    deleteLoadBalancer: async () => {},
  }
}
