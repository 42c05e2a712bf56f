/**
 * From one amphora of a pair to the text of its octavia-keepalived.conf: who has the VIPs, and how
 * their traffic leaves. Pure. Both amphorae begin as backup, and `nopreempt` lets the one that has
 * the VIPs keep them, so that no connection breaks because the other came back.
 * Source of every directive: octavia/amphorae/drivers/keepalived/jinja/.
 */
import type { HostRoute } from '../../contract/routes.ts'
import { type Cidr, type Ip, parseCidr, parseIp } from '../../model/address.ts'
import { present } from '../../system/assert.ts'
import type { Line } from '../line.ts'
import { type Block, line, type Part, print } from './line.ts'

/** Values of `[keepalived_vrrp]` and `[haproxy_amphora]` of the configuration. */
export interface VrrpOptions {
  readonly base_path: string
  readonly vrrp_check_interval: number
  readonly vrrp_fail_count: number
  readonly vrrp_success_count: number
  readonly vrrp_garp_refresh_interval: number
  readonly vrrp_garp_refresh_count: number
}

/** What the amphorae of a load balancer must have alike, so it is kept and not read anew. */
export interface VrrpGroup {
  readonly advert_int: number
  /** Secret, though VRRP sends it in clear. */
  readonly auth_pass: string
}

export interface VrrpVip {
  readonly ip_address: string
  readonly subnet_cidr: string
  readonly gateway: string | null
  readonly host_routes: readonly HostRoute[]
}

export interface VrrpInstance {
  readonly load_balancer_id: string
  readonly group: VrrpGroup
  readonly interface: string
  readonly router_id: number
  readonly priority: number
  readonly vrrp_ip: string
  /** Addresses of the other amphorae. */
  readonly peers: readonly string[]
  /** The primary one first. */
  readonly vips: readonly VrrpVip[]
  /** Takes the VIPs from whoever has them: without `nopreempt`, above every role. */
  readonly takeover: boolean
}

/** Above MASTER's 100; 255 would be the owner of the address. */
const TAKEOVER_PRIORITY = 150
const VIP_TABLE = 1
const RULE_PRIORITY = 100

export function renderVrrp(instance: VrrpInstance, options: VrrpOptions): string {
  return print([
    line`# Configuration of VRRP for loadbalancer ${instance.load_balancer_id}`,
    renderGlobals(instance.load_balancer_id),
    block(
      line`vrrp_script check_script`,
      line`script ${options.base_path}/vrrp/check_script.sh`,
      line`interval ${options.vrrp_check_interval}`,
      line`fall ${options.vrrp_fail_count}`,
      line`rise ${options.vrrp_success_count}`,
    ),
    renderInstance(instance, options),
  ])
}

/**
 * Without a name of its own keepalived asks for that of the host, and where no name server answers
 * its start takes 20 seconds. The check is run without the other two as well, with a complaint.
 */
function renderGlobals(load_balancer_id: string): Block {
  return block(
    line`global_defs`,
    line`router_id ${load_balancer_id}`,
    line`enable_script_security`,
    line`script_user root`,
  )
}

function renderInstance(instance: VrrpInstance, options: VrrpOptions): Block {
  const { group, takeover } = instance
  const own = addressOf(instance.vrrp_ip)
  const vips = sorted(instance.vips)
  const ofFamily = (same: boolean) => vips.filter(({ ip }) => (ip.family === own.family) === same)
  // Version 2 knows whole seconds only, version 3 no passwords and all of IPv6.
  const fast = !Number.isInteger(group.advert_int)
  const plain = fast || own.family === 6
  return block(
    line`vrrp_instance ${instance.load_balancer_id.replaceAll('-', '')}`,
    ...(fast ? [line`version 3`] : []),
    line`interface ${instance.interface}`,
    line`virtual_router_id ${instance.router_id}`,
    line`priority ${takeover ? TAKEOVER_PRIORITY : instance.priority}`,
    ...(takeover ? [] : [line`nopreempt`]),
    line`accept`,
    line`garp_master_refresh ${options.vrrp_garp_refresh_interval}`,
    line`garp_master_refresh_repeat ${options.vrrp_garp_refresh_count}`,
    line`advert_int ${group.advert_int}`,
    ...(plain
      ? []
      : [block(line`authentication`, line`auth_type PASS`, line`auth_pass ${group.auth_pass}`)]),
    line`unicast_src_ip ${own.text}`,
    block(line`unicast_peer`, ...peersOf(instance, own).map((peer) => line`${peer.text}`)),
    ...addresses(line`virtual_ipaddress`, ofFamily(true)),
    ...addresses(line`virtual_ipaddress_excluded`, ofFamily(false)),
    block(line`virtual_routes`, ...renderRoutes(instance.interface, vips)),
    block(
      line`virtual_rules`,
      ...vips.map(({ ip }) => {
        const source = `${ip.text}/${ip.family === 6 ? 128 : 32}`
        return line`from ${source} table ${VIP_TABLE} priority ${RULE_PRIORITY}`
      }),
    ),
    block(line`track_script`, line`check_script`),
  )
}

function block(head: Line, ...parts: readonly Part[]): Block {
  return { head, parts }
}

function addresses(head: Line, vips: readonly ParsedVip[]): readonly Block[] {
  return vips.length === 0 ? [] : [block(head, ...vips.map(({ ip }) => line`${ip.text}`))]
}

/**
 * Without a peer keepalived would speak to all of the network, where amphorae of other load
 * balancers have the same router id. Nobody hears what goes to the loopback address.
 */
function peersOf({ peers }: VrrpInstance, own: Ip): readonly Ip[] {
  if (peers.length > 0) return peers.map(addressOf)
  return [addressOf(own.family === 6 ? '::1' : '127.0.0.1')]
}

interface ParsedVip extends VrrpVip {
  readonly ip: Ip
  readonly subnet: Cidr
}

/** The primary VIP, then the additional ones by address, as upstream has them. */
function sorted(vips: readonly VrrpVip[]): readonly ParsedVip[] {
  const [first, ...rest] = vips.map((vip) => ({
    ...vip,
    ip: addressOf(vip.ip_address),
    subnet: present(parseCidr(vip.subnet_cidr), `the subnet ${vip.subnet_cidr} of a VIP`),
  }))
  const byText = rest.toSorted((a, b) => (a.ip.text < b.ip.text ? -1 : 1))
  return first === undefined ? [] : [first, ...byText]
}

/** VIPs of one subnet share its routes: a second one to the same place would be refused. */
function renderRoutes(device: string, vips: readonly ParsedVip[]) {
  const firsts = vips.filter(
    ({ subnet }, at) => vips.findIndex((vip) => vip.subnet.text === subnet.text) === at,
  )
  return firsts.flatMap(({ ip, subnet, gateway, host_routes }) => [
    line`${subnet.text} dev ${device} src ${ip.text} scope link table ${VIP_TABLE}`,
    ...(gateway === null
      ? []
      : [line`default via ${addressOf(gateway).text} dev ${device} onlink table ${VIP_TABLE}`]),
    ...host_routes.map(({ destination, nexthop }) => {
      const to = present(parseCidr(destination), `the host route ${destination}`).text
      return line`${to} via ${addressOf(nexthop).text} dev ${device} onlink table ${VIP_TABLE}`
    }),
  ])
}

function addressOf(text: string): Ip {
  return present(parseIp(text), `the address ${text}`)
}
