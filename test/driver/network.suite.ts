/**
 * What every network driver promises (src/driver/network.ts). An implementation runs all of it in a
 * file of a few lines and skips by name, with a reason, what it cannot do.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DriverError } from '../../src/driver/error.ts'
import {
  AddressInUse,
  type AmphoraOnNetwork,
  type NetworkDriver,
  type VipRequest,
} from '../../src/driver/network.ts'
import { contains, parseCidr, parseIp } from '../../src/model/address.ts'
import { newId } from '../../src/system/ids.ts'

export interface NetworkSubject {
  readonly driver: NetworkDriver
  /** A network with an IPv4 subnet and room for a hundred ports. */
  readonly network_id: string
  /** Another one. */
  readonly member_network_id: string
  /** Boots an instance for an amphora. */
  amphora(): Promise<AmphoraOnNetwork>
  /** Makes a port as a user would, unused, on the first network. */
  userPort(): Promise<{ readonly id: string; readonly ip_address: string }>
  /** The driver as it is after a restart of the program. */
  restarted(): Promise<NetworkDriver>
  close(): Promise<void>
}

export type NetworkPromise =
  | 'a network and its subnets name one another'
  | 'what does not exist is not found'
  | 'a VIP is an address of the subnet, and the same one again'
  | 'a VIP port carries our names'
  | 'a wanted address is given'
  | 'a wanted address that is taken is refused'
  | 'an address outside the subnet is refused for good'
  | 'an unknown network is refused for good'
  | 'load balancers at the same time get different addresses'
  | 'of many who want one address, one gets it'
  | 'a VIP that is given back is free again'
  | 'giving back a VIP can be repeated'
  | 'a port of the user is adopted and given back as it was'
  | 'an adopted port is not adopted by another'
  | 'additional VIPs have addresses of their own'
  | 'the VIP network is plugged once, and unplugged'
  | 'a member network is plugged once, and unplugged'
  | 'free addresses are counted'
  | 'a restart changes no answer'
  | 'VIP rules can be set again'

export function networkSuite(
  name: string,
  open: () => Promise<NetworkSubject>,
  skips: Readonly<Partial<Record<NetworkPromise, string>>> = {},
): void {
  describe(`network driver ${name}`, () => {
    let subject: NetworkSubject
    let driver: NetworkDriver
    beforeAll(async () => {
      subject = await open()
      driver = subject.driver
    })
    afterAll(() => subject?.close())

    const promise = (title: NetworkPromise, body: () => Promise<void>): void => {
      const reason = skips[title]
      if (reason === undefined) test(title, body)
      else test.skip(`${title} (skipped: ${reason})`, body)
    }
    const request = (wish: Partial<VipRequest> = {}): VipRequest => ({
      load_balancer_id: newId(),
      project_id: newId(),
      network_id: subject.network_id,
      subnet_id: null,
      port_id: null,
      ip_address: null,
      additional_vips: [],
      ...wish,
    })
    const subnetOf = async (network_id: string) => {
      const network = await driver.findNetwork(network_id)
      const subnet = await driver.findSubnet(network?.subnet_ids[0] ?? '')
      if (subnet === undefined) throw new Error('the network has no subnet')
      return subnet
    }
    const inSubnet = (cidr: string, address: string): boolean => {
      const [range, ip] = [parseCidr(cidr), parseIp(address)]
      return range !== undefined && ip !== undefined && contains(range, ip)
    }
    const failure = async (promised: Promise<unknown>): Promise<unknown> =>
      promised.then(
        () => 'it succeeded',
        (error) => error,
      )
    /** A failure that no retry and no other caller can change. */
    const expectRefusal = async (promised: Promise<unknown>): Promise<void> => {
      const error = await failure(promised)
      expect(error).toBeInstanceOf(DriverError)
      expect((error as DriverError).retryable).toBe(false)
    }

    promise('a network and its subnets name one another', async () => {
      const network = await driver.findNetwork(subject.network_id)
      expect(network?.id).toBe(subject.network_id)
      expect(network?.mtu).toBeGreaterThanOrEqual(1280)
      expect(network?.subnet_ids.length).toBeGreaterThan(0)
      for (const id of network?.subnet_ids ?? [])
        expect((await driver.findSubnet(id))?.network_id).toBe(subject.network_id)
    })

    promise('what does not exist is not found', async () => {
      expect(await driver.findNetwork(newId())).toBeUndefined()
      expect(await driver.findSubnet(newId())).toBeUndefined()
      expect(await driver.findPort(newId())).toBeUndefined()
    })

    promise('a VIP is an address of the subnet, and the same one again', async () => {
      const asked = request()
      const vip = await driver.allocateVip(asked)
      const subnet = await subnetOf(subject.network_id)
      expect(vip.network_id).toBe(subject.network_id)
      expect(vip.subnet_id).toBe(subnet.id)
      expect(inSubnet(subnet.cidr, vip.ip_address)).toBe(true)
      expect(vip.ip_address).not.toBe(subnet.gateway_ip)
      expect(await driver.allocateVip(asked)).toEqual(vip)
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
    })

    promise('a VIP port carries our names', async () => {
      const asked = request()
      const vip = await driver.allocateVip(asked)
      expect(await driver.findPort(vip.port_id)).toMatchObject({
        id: vip.port_id,
        name: `octavia-lb-${asked.load_balancer_id}`,
        device_id: `lb-${asked.load_balancer_id}`,
        device_owner: 'Octavia',
        network_id: subject.network_id,
        fixed_ips: [{ subnet_id: vip.subnet_id, ip_address: vip.ip_address }],
      })
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
    })

    promise('a wanted address is given', async () => {
      // Which address is free shows by asking for any and giving that back.
      const probe = request()
      const { ip_address, subnet_id, port_id } = await driver.allocateVip(probe)
      await driver.deallocateVip(probe.load_balancer_id, port_id)
      const asked = request({ ip_address, subnet_id })
      const vip = await driver.allocateVip(asked)
      expect(vip).toMatchObject({ ip_address, subnet_id })
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
    })

    promise('a wanted address that is taken is refused', async () => {
      const first = request()
      const { ip_address, port_id } = await driver.allocateVip(first)
      const error = await failure(driver.allocateVip(request({ ip_address })))
      expect(error).toBeInstanceOf(AddressInUse)
      expect(error).toMatchObject({ ip_address, network_id: subject.network_id })
      await driver.deallocateVip(first.load_balancer_id, port_id)
    })

    promise('an address outside the subnet is refused for good', async () => {
      await expectRefusal(driver.allocateVip(request({ ip_address: '192.0.2.99' })))
      await expectRefusal(driver.allocateVip(request({ ip_address: '2001:db8::99' })))
    })

    promise('an unknown network is refused for good', async () => {
      await expectRefusal(driver.allocateVip(request({ network_id: newId() })))
    })

    promise('load balancers at the same time get different addresses', async () => {
      const asked = Array.from({ length: 8 }, () => request())
      const vips = await Promise.all(asked.map((one) => driver.allocateVip(one)))
      expect(new Set(vips.map((vip) => vip.ip_address)).size).toBe(8)
      expect(new Set(vips.map((vip) => vip.port_id)).size).toBe(8)
      for (const [at, one] of asked.entries())
        await driver.deallocateVip(one.load_balancer_id, vips[at]?.port_id ?? null)
    })

    promise('of many who want one address, one gets it', async () => {
      const probe = request()
      const { ip_address, port_id } = await driver.allocateVip(probe)
      await driver.deallocateVip(probe.load_balancer_id, port_id)
      const asked = Array.from({ length: 5 }, () => request({ ip_address }))
      const results = await Promise.all(asked.map((one) => failure(driver.allocateVip(one))))
      expect(results.filter((result) => result === 'it succeeded')).toHaveLength(1)
      expect(results.filter((result) => result instanceof AddressInUse)).toHaveLength(4)
      for (const one of asked) await driver.deallocateVip(one.load_balancer_id, null)
    })

    promise('a VIP that is given back is free again', async () => {
      const first = request()
      const vip = await driver.allocateVip(first)
      await driver.deallocateVip(first.load_balancer_id, vip.port_id)
      expect(await driver.findPort(vip.port_id)).toBeUndefined()
      const second = request({ ip_address: vip.ip_address })
      expect((await driver.allocateVip(second)).ip_address).toBe(vip.ip_address)
      await driver.deallocateVip(second.load_balancer_id, null)
    })

    promise('giving back a VIP can be repeated', async () => {
      const asked = request()
      const vip = await driver.allocateVip(asked)
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
      await driver.deallocateVip(newId(), null)
      await driver.deallocateVip(newId(), newId())
    })

    promise('a port of the user is adopted and given back as it was', async () => {
      const { id, ip_address } = await subject.userPort()
      const before = await driver.findPort(id)
      const network_id = before?.network_id ?? ''
      const asked = request({ network_id, port_id: id })
      const vip = await driver.allocateVip(asked)
      expect(vip).toMatchObject({ port_id: id, ip_address, network_id })
      expect(await driver.allocateVip(asked)).toEqual(vip)
      expect((await driver.findPort(id))?.device_owner).toBe(before?.device_owner)
      await driver.deallocateVip(asked.load_balancer_id, id)
      expect(await driver.findPort(id)).toEqual(before)
    })

    promise('an adopted port is not adopted by another', async () => {
      const { id } = await subject.userPort()
      const first = request({ port_id: id })
      await driver.allocateVip(first)
      expect(await failure(driver.allocateVip(request({ port_id: id })))).toBeInstanceOf(
        AddressInUse,
      )
      await driver.deallocateVip(first.load_balancer_id, id)
      const second = request({ port_id: id })
      expect((await driver.allocateVip(second)).port_id).toBe(id)
      await driver.deallocateVip(second.load_balancer_id, id)
    })

    promise('additional VIPs have addresses of their own', async () => {
      const { id } = await subnetOf(subject.network_id)
      const wish = { subnet_id: id, ip_address: null }
      const asked = request({ additional_vips: [wish, wish] })
      const vip = await driver.allocateVip(asked)
      const all = [vip.ip_address, ...vip.additional_vips.map((more) => more.ip_address)]
      expect(new Set(all).size).toBe(3)
      expect(vip.additional_vips.every((more) => more.subnet_id === id)).toBe(true)
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
    })

    promise('the VIP network is plugged once, and unplugged', async () => {
      const asked = request()
      const vip = await driver.allocateVip(asked)
      const amphora = await subject.amphora()
      const port = await driver.plugVip(amphora, vip)
      expect(port).toMatchObject({
        name: `octavia-lb-vrrp-${amphora.id}`,
        network_id: subject.network_id,
        device_id: amphora.compute_id,
      })
      expect(port.mac_address).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/)
      expect(port.fixed_ips).toHaveLength(1)
      expect(port.fixed_ips[0]?.ip_address).not.toBe(vip.ip_address)
      expect(await driver.plugVip(amphora, vip)).toEqual(port)
      expect(await driver.findPort(port.id)).toMatchObject({ id: port.id })
      await driver.unplugVip(amphora)
      await driver.unplugVip(amphora)
      // What a failover takes away and gives back is what the agent knows.
      const [{ ip_address: vrrp_ip } = { ip_address: null }] = port.fixed_ips
      const again = await driver.plugVip({ ...amphora, vrrp_ip }, vip)
      const { mac_address, fixed_ips } = port
      expect(again).toMatchObject({ mac_address, fixed_ips })
      await driver.unplugVip(amphora)
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
    })

    promise('a member network is plugged once, and unplugged', async () => {
      const amphora = await subject.amphora()
      const subnet = await subnetOf(subject.member_network_id)
      const port = await driver.plugMember(amphora, subnet)
      expect(port).toMatchObject({
        name: `octavia-lb-member-${amphora.id}`,
        network_id: subject.member_network_id,
        device_id: amphora.compute_id,
      })
      expect(inSubnet(subnet.cidr, port.fixed_ips[0]?.ip_address ?? '')).toBe(true)
      expect(await driver.plugMember(amphora, subnet)).toEqual(port)
      await driver.unplugMember(amphora, subject.member_network_id)
      await driver.unplugMember(amphora, subject.member_network_id)
      await driver.unplugMember({ id: newId() }, subject.member_network_id)
    })

    promise('free addresses are counted', async () => {
      const count = async (): Promise<number> =>
        (await driver.listFreeAddresses(subject.network_id))[0]?.free ?? 0
      const before = await count()
      const asked = request()
      const vip = await driver.allocateVip(asked)
      expect(await count()).toBe(before - 1)
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
      expect(await count()).toBe(before)
    })

    promise('a restart changes no answer', async () => {
      const asked = request()
      const vip = await driver.allocateVip(asked)
      const amphora = await subject.amphora()
      const port = await driver.plugVip(amphora, vip)
      const [network, found] = [
        await driver.findNetwork(subject.network_id),
        await driver.findPort(vip.port_id),
      ]
      driver = await subject.restarted()
      expect(await driver.allocateVip(asked)).toEqual(vip)
      expect(await driver.plugVip(amphora, vip)).toEqual(port)
      expect(await driver.findNetwork(subject.network_id)).toEqual(network)
      expect(await driver.findPort(vip.port_id)).toEqual(found)
      await driver.unplugVip(amphora)
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
    })

    promise('VIP rules can be set again', async () => {
      const asked = request()
      const vip = await driver.allocateVip(asked)
      const rules = [{ protocol: 'TCP', port: 80, cidr: null }] as const
      const amphora = await subject.amphora()
      const port = await driver.plugVip(amphora, vip)
      const target = {
        load_balancer_id: asked.load_balancer_id,
        vip,
        amphora_port_ids: [port.id],
        security_group_ids: [],
        qos_policy_id: null,
      }
      await driver.setVipRules(target, rules)
      await driver.setVipRules(target, rules)
      await driver.setVipRules({ ...target, amphora_port_ids: [] }, [])
      await driver.unplugVip(amphora)
      await driver.deallocateVip(asked.load_balancer_id, vip.port_id)
    })
  })
}
