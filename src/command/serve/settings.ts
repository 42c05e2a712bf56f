/**
 * The configuration as each module wants it: values under the names of options, and nothing else.
 */
import type { ApiOptions } from '../../api/route.ts'
import type { Config } from '../../config/options.ts'
import { AGENT_CONFIG_FALLBACKS, renderAgentConfig } from '../../contract/agent-config.ts'
import type { OperationSettings } from '../../operation/change.ts'
import type { WorkerOptions, World } from '../../worker/world.ts'

export function apiOptions(config: Config): ApiOptions {
  const { pagination_max_limit, ...settings } = config.api_settings
  const limit = Number(pagination_max_limit)
  return {
    ...settings,
    pagination_max_limit: Number.isNaN(limit) || limit < 0 ? null : limit,
    max_request_body_size: config.oslo_middleware.max_request_body_size,
  }
}

export function operationSettings(config: Config): OperationSettings {
  const { networking, haproxy_amphora, api_settings } = config
  return {
    defaults: haproxy_amphora,
    topology: config.controller_worker.loadbalancer_topology,
    default_provider_driver: api_settings.default_provider_driver,
    enabled_provider_drivers: api_settings.enabled_provider_drivers,
    allow_vip_network_id: networking.allow_vip_network_id,
    allow_vip_subnet_id: networking.allow_vip_subnet_id,
    allow_vip_port_id: networking.allow_vip_port_id,
    valid_vip_networks: networking.valid_vip_networks ?? [],
    denylist_vip_networks: networking.denylist_vip_networks,
    reserved_ips: networking.reserved_ips,
    allow_tls_terminated_listeners: api_settings.allow_tls_terminated_listeners,
    allow_prometheus_listeners: api_settings.allow_prometheus_listeners,
    allow_ping_health_monitors: api_settings.allow_ping_health_monitors,
    udp_connect_min_interval_health_monitor: api_settings.udp_connect_min_interval_health_monitor,
    tls_cipher_prohibit_list: api_settings.tls_cipher_prohibit_list,
    minimum_tls_version: api_settings.minimum_tls_version,
    default_listener_ciphers: api_settings.default_listener_ciphers,
    default_listener_tls_versions: api_settings.default_listener_tls_versions,
    default_listener_alpn_protocols: api_settings.default_listener_alpn_protocols,
    default_pool_ciphers: api_settings.default_pool_ciphers,
    default_pool_tls_versions: api_settings.default_pool_tls_versions,
    default_pool_alpn_protocols: api_settings.default_pool_alpn_protocols,
    // Upstream does not look at quotas either where nobody has to prove who he is.
    quotas: null,
  }
}

export function workerOptions(config: Config): WorkerOptions {
  return { ...config.haproxy_amphora, ...config.controller_worker }
}

/** What is put into an amphora at boot. Read anew each time: some of it changes at runtime. */
export function agentConfigRenderer(
  config: () => Config,
  heartbeatKey: () => string,
): World['renderAgentConfig'] {
  return ({ id, topology }) => {
    const { haproxy_amphora, amphora_agent, health_manager } = config()
    const { base_path, base_cert_dir, bind_host, bind_port, haproxy_cmd } = haproxy_amphora
    return renderAgentConfig({
      ...AGENT_CONFIG_FALLBACKS,
      amphora_id: id,
      base_path,
      base_cert_dir,
      bind_host,
      bind_port,
      haproxy_cmd,
      agent_request_read_timeout_s: amphora_agent.agent_request_read_timeout,
      agent_tls_protocol: amphora_agent.agent_tls_protocol,
      loadbalancer_topology: topology,
      controller_ip_port_list: health_manager.controller_ip_port_list,
      heartbeat_key: heartbeatKey(),
      heartbeat_interval_s: health_manager.heartbeat_interval,
    })
  }
}
