import type { VrrpOptions } from '../../src/dataplane/keepalived/vrrp.ts'

/** Upstream's defaults. */
export const VRRP_OPTIONS: VrrpOptions = {
  base_path: '/var/lib/octavia',
  vrrp_check_interval: 5,
  vrrp_fail_count: 2,
  vrrp_success_count: 2,
  vrrp_garp_refresh_interval: 5,
  vrrp_garp_refresh_count: 2,
}
