/**
 * The built-in store of secrets with the compiled executable: one HTTPS listener is two commands,
 * and what is secret is nowhere but sealed. Certificates of amphorae are renewed meanwhile.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runOk, systemProcesses } from '../../src/system/process.ts'
import { processesOf, signal } from './amphora-faults.ts'
import { BINARY, createLab, createWebServers, labMissing, until, VIP_NET } from './harness.ts'
import { leftovers, snapshot } from './leftovers.ts'

const missing = labMissing('openssl')
const lab = (name: string): string => (missing === undefined ? name : `${name}: ${missing}`)

/** A certificate of an amphora is always about to end. */
const SETTINGS = `[health_manager]
heartbeat_interval = 1
[house_keeping]
cert_interval = 2
cert_expiry_buffer = 7200
[certificates]
cert_validity_time = 3600
${VIP_NET}`

test.skipIf(missing !== undefined)(
  lab('an HTTPS listener in two commands, and new certificates for its amphora'),
  async () => {
    const before = await snapshot()
    const place = createLab(SETTINGS)
    const serve = await place.start()
    const data = join(place.folder, 'data')
    const env = { OS_CLIENT_CONFIG_FILE: join(data, 'clouds.yaml'), OS_CLOUD: 'octavia-lite' }
    const lite = async (line: string): Promise<string> => {
      const words = line.split(' ').map((word) => word.replace('@', `${place.folder}/`))
      return (await runOk(systemProcesses, [BINARY, ...words], { env })).stdout.trim()
    }
    const openssl =
      'req -x509 -nodes -newkey rsa:2048 -subj /CN=web.example -days 90 ' +
      `-keyout ${place.folder}/privkey.pem -out ${place.folder}/fullchain.pem`
    await runOk(systemProcesses, ['openssl', ...openssl.split(' ')])
    const [server] = await createWebServers(1)
    await lite('lb create --name web --vip-subnet-id vip-net --wait')
    await lite(
      'pool create --name pool --loadbalancer web --protocol HTTP --lb-algorithm ROUND_ROBIN --wait',
    )
    await lite(`member create --address ${server?.address} --protocol-port 80 --wait pool`)

    const ref = await lite(
      'secret store --name web --certificate @fullchain.pem --private-key @privkey.pem',
    )
    await lite(
      'listener create --name https --protocol TERMINATED_HTTPS --protocol-port 443 ' +
        `--default-pool pool --default-tls-container-ref ${ref} --wait web`,
    )

    const vip = await lite('lb show web -f value -c vip_address')
    const ca = readFileSync(join(place.folder, 'fullchain.pem'), 'utf8')
    const secure = async (): Promise<string | undefined> => {
      try {
        const tls = { ca, checkServerIdentity: () => undefined }
        const init = { tls, keepalive: false, proxy: false, signal: AbortSignal.timeout(2_000) }
        return (await (await fetch(`https://${vip}/`, init as RequestInit)).text()).trim()
      } catch {
        return undefined
      }
    }
    await until('the VIP to answer over TLS', async () => (await secure()) === 'web1')
    expect(await lite('secret show web')).toMatch(/^used by +listener https \(/m)
    const refused = await systemProcesses.run([BINARY, 'secret', 'delete', 'web'], { env })
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/^octavia-lite: It is in use by listener https \([0-9a-f-]+\)/),
    ])

    const amphora = await lite('amphora list -f value -c id')
    const expiration = () => lite(`amphora show ${amphora} -f value -c cert_expiration`)
    const address = await lite(`amphora show ${amphora} -f value -c lb_network_ip`)
    const served = async () => {
      const ask = `openssl s_client -connect ${address}:9443 </dev/null 2>/dev/null`
      const shell = ['sh', '-c', `${ask} | openssl x509 -noout -serial`]
      return (await runOk(systemProcesses, shell)).stdout
    }
    const [ends, serial] = [await expiration(), await served()]
    await until('a new certificate', async () => (await expiration()) > ends)
    await until('the agent to serve with it', async () => (await served()) !== serial)
    await lite(`secret rekey --config-file ${place.config}`)
    await lite('listener set --name secure --wait https')
    expect(await secure()).toBe('web1')

    // Its memory is gone, where the keys were.
    signal(processesOf(place, { id: amphora }), 'SIGKILL')
    await until('the amphora to be gone', async () => (await secure()) === undefined)
    await until('it to be given its keys again', async () => (await secure()) === 'web1')
    expect(await lite('amphora list -f value -c id')).toBe(amphora)
    const jobs = await lite(`jobs list --load-balancer ${await lite('lb show web -f value -c id')}`)
    expect(jobs).toContain('load-balancer-restore')
    expect(jobs).not.toContain('failover')
    await until('the listener to be ONLINE', async () => {
      return (await lite('listener show secure -f value -c operating_status')) === 'ONLINE'
    })

    // The middle of the key, wherever it would be written by mistake.
    const key = readFileSync(join(place.folder, 'privkey.pem'), 'utf8').split('\n')[5] ?? ''
    const files = readdirSync(data).filter((name) => name.startsWith('octavia-lite.db'))
    for (const text of [serve.log(), ...files.map((name) => readFileSync(join(data, name)))])
      expect(text.includes(key)).toBe(false)

    await lite('listener delete --wait secure')
    await lite('secret delete web')
    expect(await lite('secret list --json')).toBe('[]')
    await lite('lb delete --cascade --wait web')
    await server?.remove()
    expect(await serve.stop()).toBe(0)
    expect(await leftovers(before)).toEqual([])
    place.remove()
  },
  240_000,
)
