/** The client commands print what upstream's client prints, from the same API. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemProcesses } from '../../src/system/process.ts'
import { BINARY, createLab, type Lab, labMissing, type Serve, URL } from './harness.ts'

const OPENSTACK = '/usr/bin/openstack'
const missing =
  labMissing() ??
  (Bun.which(OPENSTACK) === null
    ? 'needs python3-openstackclient, python3-octaviaclient'
    : undefined)
const title = missing === undefined ? '' : `: ${missing}`

const NO_LOGIN = ['--os-auth-type', 'none', '--os-endpoint', URL]

async function output(argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await systemProcesses.run([...argv], { timeoutMs: 60_000 })
  expect(code, `${argv.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
  return stdout
}

/** `~` stands for a blank in a word. */
const words = (line: string): string[] => line.split(' ').map((word) => word.replaceAll('~', ' '))
const ours = async (line: string) => await output([BINARY, ...words(line), ...NO_LOGIN])
const theirs = async (line: string) =>
  await output([OPENSTACK, ...NO_LOGIN, 'loadbalancer', ...words(line.replace(/^lb /, ''))])

let lab: Lab | undefined
let serve: Serve | undefined

beforeAll(async () => {
  if (missing !== undefined) return
  lab = createLab()
  serve = await lab.start()
  await ours('lb create --name web~site --vip-subnet-id vip-net --tag a --tag b --wait')
  await ours(
    'listener create web~site --name l --protocol HTTP --protocol-port 80 --wait ' +
      '--insert-headers X-Forwarded-For=true --allowed-cidr 10.0.0.0/8',
  )
  await ours(
    'pool create --name p --protocol HTTP --lb-algorithm ROUND_ROBIN --listener l --wait ' +
      '--session-persistence type=APP_COOKIE,cookie_name=c',
  )
  await ours('member create p --name m --address 10.10.10.11 --protocol-port 80 --wait')
  await ours('member create p --name n --address 10.10.10.12 --protocol-port 80 --wait')
  await ours(
    'healthmonitor create p --name h --type HTTP --delay 5 --timeout 3 --max-retries 2 --wait ' +
      '--http-version 1.1 --domain-name a.example',
  )
}, 180_000)

afterAll(async () => {
  // Amphorae outlive serve, so they go first.
  if (serve !== undefined) await ours('lb delete web~site --cascade --wait')
  await serve?.stop()
  lab?.remove()
})

/** Statuses that heartbeats change between two calls, and how each of the two prints lists. */
function comparable(text: string): unknown {
  type Row = Readonly<Record<string, unknown>>
  const row = (one: Row): Row =>
    Object.fromEntries(
      Object.entries(one).map(([key, value]) => [
        key,
        ['operating_status', 'updated_at'].includes(key) ? 'changes' : listText(value),
      ]),
    )
  const parsed = JSON.parse(text) as Row | readonly Row[]
  return Array.isArray(parsed) ? parsed.map(row) : row(parsed as Row)
}

/**
 * The client before 2024 prints a list in JSON as the text it has in a table; the one of today as a
 * list, like ours.
 */
function listText(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value ?? ''
  const items = Array.isArray(value)
    ? value
    : Object.entries(value).map(([k, v]) => `${k}=${v ?? 'None'}`)
  if (items.some((item) => typeof item === 'object' && item !== null && !('id' in item)))
    return value
  return items.map((item) => (typeof item === 'string' ? item : item.id)).join('\n')
}

test
  .skipIf(missing !== undefined)
  .each([
    ['lb list'],
    ['lb list --name web~site'],
    ['lb show web~site'],
    ['lb stats show web~site'],
    ['listener list --loadbalancer web~site'],
    ['listener show l'],
    ['pool list'],
    ['pool show p'],
    ['member list p --sort-column name'],
    ['member show p m'],
    ['healthmonitor list'],
    ['healthmonitor show h'],
    ['provider list'],
    ['amphora list --long'],
  ])(`openstack loadbalancer %s${title}`, async (line) => {
  const ourText = await ours(`${line} -f json`)
  const theirText = await theirs(`${line} -f json`)
  const our = comparable(ourText)
  const their = comparable(theirText)
  // Newer columns are ours alone, so theirs must be a part of ours.
  if (Array.isArray(their)) expect(our).toEqual(their)
  else expect(our).toMatchObject(their as object)
})

test
  .skipIf(missing !== undefined)
  .each([
    ['lb list -c id -c name -c vip_address'],
    ['lb list -f csv'],
    ['lb list -f value -c id -c provider'],
    ['lb list -f yaml'],
    ['lb list --name nothing'],
    ['member list p -c name -c protocol_port -c weight --sort-column name --sort-descending'],
    ['lb show web~site -c name -c tags -c listeners -c additional_vips -c admin_state_up'],
    ['listener show l -c insert_headers -c allowed_cidrs -c sni_container_refs -c tls_versions'],
    ['pool show p -c session_persistence -c members -c tls_enabled -f table'],
    ['healthmonitor show h -c http_version -c expected_codes -c max_retries'],
    ['healthmonitor show h -f value -c http_version -c name'],
    ['lb status show web~site'],
  ])(`the very same text: %s${title}`, async (line) => {
  const still = (text: string) =>
    text.replace(/ONLINE|OFFLINE|NO_MONITOR|ERROR|DEGRADED/g, 'status')
  expect(still(await ours(line))).toBe(still(await theirs(line)))
})
