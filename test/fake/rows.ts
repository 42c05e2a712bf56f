/** Complete rows for tests, each value overridable. */
import type { Amphora } from '../../src/model/amphora.ts'
import type { HealthMonitor } from '../../src/model/health-monitor.ts'
import type { L7Policy } from '../../src/model/l7policy.ts'
import type { L7Rule } from '../../src/model/l7rule.ts'
import type { Listener } from '../../src/model/listener.ts'
import type { LoadBalancer } from '../../src/model/load-balancer.ts'
import type { Member } from '../../src/model/member.ts'
import type { Pool } from '../../src/model/pool.ts'
import { newId } from '../../src/system/ids.ts'

const PROJECT = '0123456789abcdef0123456789abcdef'

function provisioned() {
  return {
    id: newId(),
    project_id: PROJECT,
    name: 'name',
    admin_state_up: true,
    tags: [],
    provisioning_status: 'ACTIVE',
    operating_status: 'ONLINE',
    created_at: '2026-01-02T03:04:05',
    updated_at: null,
  } as const
}

export function loadBalancerRow(over: Partial<LoadBalancer> = {}): LoadBalancer {
  return {
    ...provisioned(),
    description: '',
    vip_address: '10.10.10.5',
    vip_port_id: newId(),
    vip_subnet_id: newId(),
    vip_network_id: newId(),
    vip_qos_policy_id: null,
    vip_vnic_type: 'normal',
    vip_sg_ids: [],
    additional_vips: [],
    provider: 'amphora',
    flavor_id: null,
    availability_zone: null,
    topology: 'SINGLE',
    ...over,
  }
}

export function listenerRow(over: Partial<Listener> & { loadbalancer_id: string }): Listener {
  return {
    ...provisioned(),
    description: '',
    protocol: 'HTTP',
    protocol_port: 80,
    connection_limit: -1,
    default_pool_id: null,
    insert_headers: {},
    timeout_client_data: 50000,
    timeout_member_connect: 5000,
    timeout_member_data: 50000,
    timeout_tcp_inspect: 0,
    allowed_cidrs: null,
    default_tls_container_ref: null,
    sni_container_refs: [],
    client_ca_tls_container_ref: null,
    client_crl_container_ref: null,
    client_authentication: 'NONE',
    tls_ciphers: null,
    tls_versions: null,
    alpn_protocols: null,
    hsts_max_age: null,
    hsts_include_subdomains: false,
    hsts_preload: false,
    ...over,
  }
}

export function poolRow(over: Partial<Pool> & { loadbalancer_id: string }): Pool {
  return {
    ...provisioned(),
    description: '',
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    session_persistence: null,
    tls_enabled: false,
    tls_container_ref: null,
    ca_tls_container_ref: null,
    crl_container_ref: null,
    tls_ciphers: null,
    tls_versions: null,
    alpn_protocols: null,
    ...over,
  }
}

export function memberRow(over: Partial<Member> & { pool_id: string }): Member {
  return {
    ...provisioned(),
    address: '10.10.10.20',
    protocol_port: 8080,
    subnet_id: null,
    weight: 1,
    backup: false,
    monitor_address: null,
    monitor_port: null,
    vnic_type: 'normal',
    ...over,
  }
}

export function healthMonitorRow(
  over: Partial<HealthMonitor> & { pool_id: string },
): HealthMonitor {
  return {
    ...provisioned(),
    type: 'HTTP',
    delay: 5,
    timeout: 3,
    max_retries: 2,
    max_retries_down: 3,
    http_method: 'GET',
    url_path: '/',
    expected_codes: '200',
    http_version: null,
    domain_name: null,
    ...over,
  }
}

export function l7policyRow(over: Partial<L7Policy> & { listener_id: string }): L7Policy {
  return {
    ...provisioned(),
    description: '',
    action: 'REJECT',
    redirect_pool_id: null,
    redirect_url: null,
    redirect_prefix: null,
    redirect_http_code: null,
    position: 1,
    ...over,
  }
}

export function l7ruleRow(over: Partial<L7Rule> & { l7policy_id: string }): L7Rule {
  const { name: _, ...born } = provisioned()
  return {
    ...born,
    type: 'PATH',
    compare_type: 'STARTS_WITH',
    key: null,
    value: '/a',
    invert: false,
    ...over,
  }
}

export function amphoraRow(over: Partial<Amphora> = {}): Amphora {
  return {
    id: newId(),
    loadbalancer_id: null,
    compute_id: newId(),
    lb_network_ip: '172.16.0.10',
    vrrp_ip: '10.10.10.6',
    ha_ip: '10.10.10.5',
    vrrp_port_id: newId(),
    ha_port_id: newId(),
    cert_expiration: null,
    cert_busy: false,
    role: 'STANDALONE',
    status: 'ALLOCATED',
    vrrp_interface: null,
    vrrp_id: 1,
    vrrp_priority: null,
    cached_zone: null,
    image_id: null,
    compute_flavor: null,
    created_at: '2026-01-02T03:04:05',
    updated_at: null,
    ...over,
  }
}
