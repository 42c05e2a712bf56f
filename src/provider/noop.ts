/**
 * The provider that does nothing: objects stay PENDING_* until somebody reports otherwise. Its VIP
 * is what was asked for; the rest is made up. Source: octavia/api/drivers/noop_driver/driver.py.
 */
import type { Provider } from './provider.ts'

const ADDRESS = '198.0.2.5'

export const noopProvider: Provider = {
  carryOut: async () => {},
  createVipPort: (request, newId) => ({
    ip_address: request.ip_address ?? ADDRESS,
    network_id: request.network_id,
    port_id: request.port_id ?? newId(),
    subnet_id: request.subnet_id ?? newId(),
    additional_vips: request.additional_vips,
  }),
  limited: false,
  reports: true,
}
