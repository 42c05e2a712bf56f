/**
 * Where everything is in an amphora. The names are upstream's, so that its operators find their
 * way.
 */
import { join } from 'node:path'
import type { AgentConfig } from '../contract/agent-config.ts'
import { PING_WRAPPER } from '../dataplane/haproxy/facts.ts'

/**
 * The network namespace of VIP and members; the agent itself stays in the one of the management
 * network.
 */
export const NAMESPACE = 'amphora-haproxy'
export const NAMESPACE_PATH = `/run/netns/${NAMESPACE}`

export const LVS_PREFIX = 'octavia-keepalivedlvs-'
/** The last three as haproxy's: uploaded and not yet checked, read by keepalived, to be stopped. */
export type LvsEnding =
  | 'conf'
  | 'pid'
  | 'vrrp.pid'
  | 'check.pid'
  | 'conf.new'
  | 'conf.good'
  | 'stopped'

export type Paths = ReturnType<typeof pathsOf>

export function pathsOf(config: AgentConfig) {
  const base = config.base_path
  const vrrp = join(base, 'vrrp')
  return {
    base,
    folder: (lb_id: string) => join(base, lb_id),
    haproxyConfig: (lb_id: string) => join(base, lb_id, 'haproxy.cfg'),
    /** Uploaded and not yet checked. */
    newConfig: (lb_id: string) => join(base, lb_id, 'haproxy.cfg.new'),
    /** What the running haproxy has read: put back when a newer one cannot be started. */
    goodConfig: (lb_id: string) => join(base, lb_id, 'haproxy.cfg.good'),
    /** What was refused last, for whoever has to find out why. */
    failedConfig: (lb_id: string) => join(base, lb_id, 'haproxy.cfg.new-failed'),
    pid: (lb_id: string) => join(base, lb_id, `${lb_id}.pid`),
    /** The same number, but never empty: haproxy clears its own file at every reload. */
    masterPid: (lb_id: string) => join(base, lb_id, 'master.pid'),
    serversState: (lb_id: string) => join(base, lb_id, 'servers-state'),
    /** Only root reaches the master's socket; `stats` is the one in the configuration. */
    masterSocket: (lb_id: string) => join(base, lb_id, 'master.sock'),
    statsSocket: (lb_id: string) => join(base, `${lb_id}.sock`),
    /** There while the controller wants it stopped; without it haproxy runs after every boot. */
    stopped: (lb_id: string) => join(base, lb_id, 'stopped'),
    /** There while a running haproxy does not answer: read by the check of VRRP. */
    unresponsive: (lb_id: string) => join(base, lb_id, 'unresponsive'),
    /** There while a certificate is newer than what haproxy has read. */
    certificatesChanged: (lb_id: string) => join(base, lb_id, 'certificates-changed'),
    allCertificates: config.base_cert_dir,
    certificates: (lb_id: string) => join(config.base_cert_dir, lb_id),
    pingWrapper: join(base, PING_WRAPPER),
    lvs: join(base, 'lvs'),
    /** `conf` and `pid` among others: what upstream's check script of VRRP looks for. */
    lvsFile: (listener_id: string, ending: LvsEnding) =>
      join(base, 'lvs', `${LVS_PREFIX}${listener_id}.${ending}`),
    lvsChecks: join(base, 'lvs', 'check'),
    vrrpConfig: join(vrrp, 'octavia-keepalived.conf'),
    newVrrpConfig: join(vrrp, 'octavia-keepalived.conf.new'),
    /** What the running keepalived has read. */
    goodVrrpConfig: join(vrrp, 'octavia-keepalived.conf.good'),
    vrrpPid: join(vrrp, 'octavia-keepalived.pid'),
    /** Of its process for VRRP. */
    vrrpChildPid: join(vrrp, 'octavia-keepalived.vrrp.pid'),
    vrrpStopped: join(vrrp, 'stopped'),
    vrrpCheckScript: join(vrrp, 'check_script.sh'),
    vrrpChecks: join(vrrp, 'check_scripts'),
    vrrpCheck: (name: string) => join(vrrp, 'check_scripts', name),
    userGroup: join(base, 'haproxy-default-user-group.conf'),
    /** What may come in by a VIP that no security group protects. */
    vipFilter: join(base, 'nftables-vip.rules'),
    leaseScript: join(base, 'dhcp-lease.sh'),
    /** Gone with a reboot, as the process is. */
    dhcpPid: (name: string) => `/run/octavia-dhcp-${name}.pid`,
    pluggedInterfaces: join(base, 'plugged_interfaces'),
    counters: join(base, 'stats_counters.json'),
    interfaces: config.agent_server_network_dir,
    interfaceFile: (name: string) => join(config.agent_server_network_dir, `${name}.json`),
  }
}
