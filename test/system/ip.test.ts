import { expect, test } from 'vitest'
import { applyIp, readLinks, readNetwork } from '../../src/system/ip.ts'
import type { Processes, RunOptions } from '../../src/system/process.ts'

const LINKS = JSON.stringify([
  { ifname: 'lo', flags: ['LOOPBACK', 'UP'], mtu: 65536, address: '00:00:00:00:00:00' },
  { ifname: 'br0', flags: ['BROADCAST'], mtu: 1500, address: '02:AA:00:00:00:01', ifalias: 'mine' },
  { ifname: 'p0', flags: ['UP'], mtu: 1500, address: '02:00:00:00:00:02', master: 'br0' },
])
const ADDRESSES = JSON.stringify([
  {
    ifname: 'lo',
    addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host' }],
  },
  {
    ifname: 'br0',
    addr_info: [
      { family: 'inet', local: '192.0.2.1', prefixlen: 24, scope: 'global' },
      { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
    ],
  },
])
const ROUTES = JSON.stringify([
  { dst: 'default', gateway: '192.0.2.254', dev: 'br0' },
  { type: 'local', dst: '192.0.2.1', dev: 'br0', table: 'local' },
  { dst: '198.51.100.0/24', dev: 'p0' },
  { type: 'blackhole', dst: '203.0.113.0/24' },
])

interface Call {
  readonly argv: readonly string[]
  readonly options: RunOptions | undefined
}

function replying(stdout: string, code = 0): Processes & { readonly calls: Call[] } {
  const calls: Call[] = []
  return {
    calls,
    run: async (argv, options) => {
      calls.push({ argv, options })
      return {
        code,
        stdout,
        stderr: code === 0 ? '' : 'Cannot find device "x"\nCommand failed -:1',
      }
    },
  }
}

test('links are joined with their addresses, in one call', async () => {
  const processes = replying(`${LINKS}\n${ADDRESSES}\n`)
  expect(await readLinks(processes)).toEqual([
    {
      ...{ name: 'lo', mac: '00:00:00:00:00:00', up: true, mtu: 65536, master: null, alias: null },
      addresses: [{ address: '127.0.0.1', prefix: 8 }],
    },
    {
      ...{
        name: 'br0',
        mac: '02:aa:00:00:00:01',
        up: false,
        mtu: 1500,
        master: null,
        alias: 'mine',
      },
      addresses: [{ address: '192.0.2.1', prefix: 24 }],
    },
    {
      ...{ name: 'p0', mac: '02:00:00:00:00:02', up: true, mtu: 1500, master: 'br0', alias: null },
      addresses: [],
    },
  ])
  expect(processes.calls).toHaveLength(1)
})

test("routes are read as well, without the kernel's own", async () => {
  const { routes } = await readNetwork(replying(`${LINKS}\n${ADDRESSES}\n${ROUTES}\n`))
  expect(routes).toEqual([
    { destination: 'default', device: 'br0' },
    { destination: '198.51.100.0/24', device: 'p0' },
    { destination: '203.0.113.0/24', device: null },
  ])
})

test('a batch is one process, in the namespace that is asked for', async () => {
  const processes = replying('')
  await applyIp(
    processes,
    [
      ['link', 'set', 'dev', 'a', 'up'],
      ['link', 'delete', 'dev', 'b'],
    ],
    {
      pid: 42,
    },
  )
  expect(processes.calls).toEqual([
    {
      argv: ['nsenter', '--net=/proc/42/ns/net', 'ip', '-force', '-batch', '-'],
      options: { stdin: 'link set dev a up\nlink delete dev b\n' },
    },
  ])
  await applyIp(processes, [])
  expect(processes.calls).toHaveLength(1)
})

test.each(['a b', 'a\nlink delete dev eth0', '', '"a"', 'a;b'])(
  'no word smuggles a command into a batch: %j',
  async (word) => {
    const processes = replying('')
    await expect(applyIp(processes, [['link', 'set', 'dev', word]])).rejects.toThrow(/plain word/)
    expect(processes.calls).toEqual([])
  },
)

test('a failure quotes what ip said', async () => {
  await expect(applyIp(replying('', 1), [['link', 'delete', 'dev', 'x']])).rejects.toThrow(
    /Cannot find device "x"/,
  )
})

test.each(['hello\n', '{}\n'])('output %j, which ip never prints, is an error', async (stdout) => {
  await expect(readLinks(replying(stdout))).rejects.toThrow(/printed something that is not/)
})
