/**
 * The configuration as each module wants it: values under the names of options, and nothing else.
 */
import type { ApiOptions } from '../../api/route.ts'
import type { Config } from '../../config/options.ts'
import { AGENT_CONFIG_FALLBACKS, renderAgentConfig } from '../../contract/agent-config.ts'
import type { LogSettings } from '../../contract/rsyslog.ts'
import type { Lack } from '../../model/capability.ts'
import type { Json } from '../../model/field.ts'
import type { QuotaLimits } from '../../model/quota.ts'
import type { OperationSettings } from '../../operation/change.ts'
import type { WorkerOptions, World } from '../../worker/world.ts'

export function apiOptions(config: Config): ApiOptions {
  const { pagination_max_limit, healthcheck_enabled, healthcheck_refresh_interval, ...settings } =
    config.api_settings
  const limit = Number(pagination_max_limit)
  return {
    ...settings,
    pagination_max_limit: Number.isNaN(limit) || limit < 0 ? null : limit,
    max_request_body_size: config.oslo_middleware.max_request_body_size,
    enable_proxy_headers_parsing: config.oslo_middleware.enable_proxy_headers_parsing,
    cors: config.cors,
    healthcheck: {
      ...config.healthcheck,
      enabled: healthcheck_enabled,
      refresh_interval: healthcheck_refresh_interval,
    },
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
    quotas: api_settings.auth_strategy === 'noauth' ? null : defaultQuotas(config),
    default_quotas: defaultQuotas(config),
    lacking: lackingOf(config),
  }
}

function defaultQuotas({ quotas }: Config): QuotaLimits {
  return {
    load_balancer: quotas.default_load_balancer_quota,
    listener: quotas.default_listener_quota,
    pool: quotas.default_pool_quota,
    member: quotas.default_member_quota,
    health_monitor: quotas.default_health_monitor_quota,
    l7policy: quotas.default_l7policy_quota,
    l7rule: quotas.default_l7rule_quota,
  }
}

/** What the drivers of this release cannot do; those that do nothing can do everything. */
function lackingOf({ controller_worker }: Config): readonly Lack[] {
  const { compute_driver, network_driver } = controller_worker
  const lacking: Lack[] = []
  const lack = (name: string, reason: string, value?: Json): unknown =>
    lacking.push({ name, reason, ...(value === undefined ? {} : { value }) })
  if (compute_driver === 'local')
    for (const name of ['compute_flavor', 'amp_image_tag', 'compute_zone', 'volume_zone'])
      lack(name, 'the local cloud has nothing to choose from')
  if (network_driver === 'local') {
    for (const name of ['sriov_vip', 'allow_member_sriov'])
      lack(name, 'the local cloud has no SR-IOV', true)
    lack('management_network', 'the local cloud has one management network')
  }
  return lacking
}

export function workerOptions(config: Config): WorkerOptions {
  const { haproxy_amphora, controller_worker, networking, compute, keepalived_vrrp } = config
  return { ...haproxy_amphora, ...controller_worker, ...keepalived_vrrp, networking, compute }
}

/** What is put into an amphora at boot. Read anew each time: some of it changes at runtime. */
export function agentConfigRenderer(
  config: () => Config,
  known: {
    readonly heartbeatKey: () => string
    /** Of this host on the management network; undefined where serve has made none. */
    readonly managementAddress: () => string | undefined
  },
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
      controller_ip_port_list: receivers(health_manager, known.managementAddress()),
      heartbeat_key: known.heartbeatKey(),
      heartbeat_interval_s: health_manager.heartbeat_interval,
      ...logging(amphora_agent),
    })
  }
}

/** What is configured, else where this controller hears for itself. */
function receivers(
  { controller_ip_port_list: list, bind_port }: Config['health_manager'],
  address: string | undefined,
): readonly string[] {
  if (list.length > 0 || address === undefined) return list
  return [`${address.includes(':') ? `[${address}]` : address}:${bind_port}`]
}

/** Where logs of amphorae go. */
export function logging(options: Config['amphora_agent']): LogSettings {
  return {
    tenant_log_targets: options.tenant_log_targets ?? [],
    admin_log_targets: options.admin_log_targets ?? [],
    log_protocol: options.log_protocol,
    log_retry_count: options.log_retry_count,
    log_retry_interval_s: options.log_retry_interval,
    log_queue_size: options.log_queue_size,
    user_log_facility: options.user_log_facility,
    administrative_log_facility: options.administrative_log_facility,
    forward_all_logs: options.forward_all_logs,
  }
}
