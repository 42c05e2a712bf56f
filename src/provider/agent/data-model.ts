/**
 * Rows as provider drivers know them: the attributes of octavia_lib/api/drivers/data_models.py in
 * their order, with null for what is not set. Contents of certificates are not told. Source of what
 * is null and what is empty: octavia/api/drivers/utils.py. Pure.
 */
import type { Json } from '../../model/field.ts'
import type { HealthMonitor } from '../../model/health-monitor.ts'
import type { L7Rule } from '../../model/l7rule.ts'
import type { Listener } from '../../model/listener.ts'
import type { Member } from '../../model/member.ts'
import {
  findPool,
  type L7PolicyTree,
  type LoadBalancerTree,
  type PoolTree,
  policiesOf,
} from '../../model/tree.ts'

export type DataModel = Readonly<Record<string, unknown>>

/** `flavor` is what its flavor says, not which it is. */
export function loadBalancerModel(tree: LoadBalancerTree, flavor: Json): DataModel {
  return {
    admin_state_up: tree.admin_state_up,
    description: tree.description,
    flavor,
    listeners: filled(tree.listeners.map((row) => listenerModel(tree, row))),
    loadbalancer_id: tree.id,
    name: tree.name,
    pools: filled(tree.pools.map((row) => poolModel(tree, row))),
    project_id: tree.project_id,
    vip_address: tree.vip_address,
    vip_network_id: tree.vip_network_id,
    vip_port_id: tree.vip_port_id,
    vip_subnet_id: tree.vip_subnet_id,
    vip_qos_policy_id: tree.vip_qos_policy_id,
    vip_sg_ids: tree.vip_sg_ids,
    additional_vips: tree.additional_vips.map((vip) => ({
      load_balancer_id: tree.id,
      ip_address: vip.ip_address ?? null,
      subnet_id: vip.subnet_id ?? null,
      network_id: tree.vip_network_id,
      port_id: tree.vip_port_id,
    })),
    availability_zone: tree.availability_zone,
  }
}

export function listenerModel(tree: LoadBalancerTree, row: Listener): DataModel {
  const pool = findPool(tree, row.default_pool_id)
  return {
    admin_state_up: row.admin_state_up,
    connection_limit: row.connection_limit,
    default_pool: pool === undefined ? null : poolModel(tree, pool),
    default_pool_id: row.default_pool_id,
    default_tls_container_data: null,
    default_tls_container_ref: row.default_tls_container_ref,
    description: row.description,
    insert_headers: row.insert_headers,
    l7policies: policiesOf(tree, row.id).map(l7policyModel),
    listener_id: row.id,
    loadbalancer_id: row.loadbalancer_id,
    name: row.name,
    protocol: row.protocol,
    protocol_port: row.protocol_port,
    sni_container_data: null,
    sni_container_refs: filled(row.sni_container_refs ?? []),
    timeout_client_data: row.timeout_client_data,
    timeout_member_connect: row.timeout_member_connect,
    timeout_member_data: row.timeout_member_data,
    timeout_tcp_inspect: row.timeout_tcp_inspect,
    client_ca_tls_container_ref: row.client_ca_tls_container_ref,
    client_ca_tls_container_data: null,
    client_authentication: row.client_authentication,
    client_crl_container_ref: row.client_crl_container_ref,
    client_crl_container_data: null,
    project_id: row.project_id,
    allowed_cidrs: row.allowed_cidrs ?? [],
    tls_versions: row.tls_versions,
    tls_ciphers: row.tls_ciphers,
    alpn_protocols: row.alpn_protocols,
    hsts_max_age: row.hsts_max_age,
    hsts_include_subdomains: row.hsts_include_subdomains,
    hsts_preload: row.hsts_preload,
  }
}

export function poolModel(tree: LoadBalancerTree, row: PoolTree): DataModel {
  return {
    admin_state_up: row.admin_state_up,
    description: row.description,
    healthmonitor: row.healthmonitor === null ? null : healthMonitorModel(row.healthmonitor),
    lb_algorithm: row.lb_algorithm,
    loadbalancer_id: row.loadbalancer_id,
    members: row.members.map(memberModel),
    name: row.name,
    pool_id: row.id,
    listener_id: tree.listeners.find((each) => each.default_pool_id === row.id)?.id ?? null,
    protocol: row.protocol,
    session_persistence:
      row.session_persistence === null
        ? null
        : {
            type: row.session_persistence.type ?? null,
            cookie_name: row.session_persistence.cookie_name ?? null,
            persistence_timeout: row.session_persistence.persistence_timeout ?? null,
            persistence_granularity: row.session_persistence.persistence_granularity ?? null,
          },
    tls_container_ref: row.tls_container_ref,
    tls_container_data: null,
    ca_tls_container_ref: row.ca_tls_container_ref,
    ca_tls_container_data: null,
    crl_container_ref: row.crl_container_ref,
    crl_container_data: null,
    tls_enabled: row.tls_enabled,
    project_id: row.project_id,
    tls_versions: row.tls_versions,
    tls_ciphers: row.tls_ciphers,
    alpn_protocols: row.alpn_protocols,
  }
}

export function memberModel(row: Member): DataModel {
  return {
    address: row.address,
    admin_state_up: row.admin_state_up,
    member_id: row.id,
    monitor_address: row.monitor_address,
    monitor_port: row.monitor_port,
    name: row.name,
    pool_id: row.pool_id,
    protocol_port: row.protocol_port,
    subnet_id: row.subnet_id,
    weight: row.weight,
    backup: row.backup,
    project_id: row.project_id,
    vnic_type: row.vnic_type,
  }
}

export function healthMonitorModel(row: HealthMonitor): DataModel {
  return {
    admin_state_up: row.admin_state_up,
    delay: row.delay,
    expected_codes: row.expected_codes,
    healthmonitor_id: row.id,
    http_method: row.http_method,
    max_retries: row.max_retries,
    max_retries_down: row.max_retries_down,
    name: row.name,
    pool_id: row.pool_id,
    timeout: row.timeout,
    type: row.type,
    url_path: row.url_path,
    http_version: row.http_version,
    domain_name: row.domain_name,
    project_id: row.project_id,
  }
}

export function l7policyModel(row: L7PolicyTree): DataModel {
  return {
    action: row.action,
    admin_state_up: row.admin_state_up,
    description: row.description,
    l7policy_id: row.id,
    listener_id: row.listener_id,
    name: row.name,
    position: row.position,
    redirect_pool_id: row.redirect_pool_id,
    redirect_url: row.redirect_url,
    rules: row.rules.map(l7ruleModel),
    redirect_prefix: row.redirect_prefix,
    redirect_http_code: row.redirect_http_code,
    project_id: row.project_id,
  }
}

export function l7ruleModel(row: L7Rule): DataModel {
  return {
    admin_state_up: row.admin_state_up,
    compare_type: row.compare_type,
    invert: row.invert,
    key: row.key,
    l7policy_id: row.l7policy_id,
    l7rule_id: row.id,
    type: row.type,
    value: row.value,
    project_id: row.project_id,
  }
}

/** Upstream leaves these lists unset when they are empty. */
function filled<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list
}
