/** `octavia-lite setup`: everything a cloud and this machine need before the first load balancer. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, systemSurroundings } from '../config/load.ts'
import { DriverError } from '../driver/error.ts'
import { generatePassword } from '../identity/passwords.ts'
import { systemClock } from '../system/clock.ts'
import { makeFolder } from '../system/files.ts'
import { silentLog } from '../system/log.ts'
import { type ParsedArguments, parseArguments } from './arguments.ts'
import { CLOUD_OPTIONS, readCloudSettings } from './cloud-settings.ts'
import { DEFAULT_CONFIG_FILE } from './config.ts'
import { checkCloud, openServiceCloud } from './doctor/cloud.ts'
import { type Finding, fail, findingLines, isHealthy } from './doctor/finding.ts'
import { checkApi } from './doctor/service.ts'
import { type Command, CommandFailure, EXIT, type Exit, type Io, table } from './io.ts'
import { openCloud } from './setup/cloud.ts'
import { planSetup, type SetupChoices } from './setup/plan.ts'
import { confirm } from './setup/question.ts'
import { makeMissing, obstaclesOf, Record, survey, type Thing, takeBack } from './setup/thing.ts'

const OPTIONS = {
  plan: 'boolean',
  check: 'boolean',
  undo: 'boolean',
  yes: 'boolean',
  json: 'boolean',
  'config-file': 'string',
  'data-dir': 'string',
  url: 'string',
  host: 'string',
  username: 'string',
  project: 'string',
  'service-password-stdin': 'boolean',
  network: 'string',
  cidr: 'string',
  pool: 'string',
  'provider-network-type': 'string',
  'provider-physical-network': 'string',
  'provider-segment': 'string',
  flavor: 'string',
  image: 'string',
  'image-tag': 'string',
  keypair: 'string',
  topology: 'string',
} as const

export const command: Command = {
  summary: 'prepare an OpenStack cloud and this machine for load balancers',
  help: `usage: octavia-lite setup [--plan | --check | --undo] [options]

As an administrator of the cloud (clouds.yaml, OS_* variables or --os-... options), makes what is
missing: our user and its rights, the service and its endpoints, the roles of users, the management
network with its security groups, this host's port on it, flavor, key pair and image of amphorae,
CAs and keys, and the configuration. What is there is taken as it is; again, nothing changes.

  --plan               print what would be made, and change nothing
  --check              print what is missing, and whether serve can work with it; exit 1 if not
  --undo               take back what setup has made, and only that
  --yes                do not ask first
  --json               print JSON
  --image FILE         the image of amphorae to upload, made by 'octavia-lite image build'

  --url URL            where clients reach the API, default http://HOST:9876
  --host NAME          this host, as 'openstack network agent list' has it, default the host name
  --topology T         SINGLE or ACTIVE_STANDBY, default a pair where there are two compute hosts
  --network NAME       the management network, default lb-mgmt-net
  --cidr CIDR          of its subnet, default 172.16.0.0/12
  --pool FIRST,LAST    the addresses in it to give away, default all
  --provider-network-type TYPE, --provider-physical-network NAME, --provider-segment ID
                       what kind of network it is, where Neutron's default does not do
  --flavor NAME        of amphorae, default amphora
  --image-tag TAG      by which their image is found, default amphora
  --keypair NAME       with which operators log in to them, default octavia-lite
  --username NAME      our user, default octavia
  --project NAME       its project, default service
  --service-password-stdin
                       its password, where the user is there already
  --config-file FILE   default ${DEFAULT_CONFIG_FILE}
  --data-dir DIR       default as serve's
  --os-cloud NAME      and all other --os-... options, as of client commands
`,
  async run(args, io) {
    const cloudOptions = CLOUD_OPTIONS.map(({ flag, takes }) => [
      flag,
      takes === 'one' ? 'string' : 'boolean',
    ])
    const all = Object.entries({ ...OPTIONS, ...Object.fromEntries(cloudOptions) })
    const specs = all.map(([name, type]) => [name, { type }])
    const options = parseArguments(args, Object.fromEntries(specs))
    try {
      return await setup(options, io)
    } catch (cause) {
      if (!(cause instanceof DriverError)) throw cause
      throw new CommandFailure(cause.message, EXIT.failure, cause)
    }
  },
}

async function setup(options: ParsedArguments, io: Io): Promise<Exit> {
  const verbs = ['plan', 'check', 'undo'].filter((name) => options.flag(name))
  if (verbs.length > 1)
    throw new CommandFailure('say one of --plan, --check and --undo', EXIT.usage)
  const choices = await readChoices(options)
  const flags = new Map(
    CLOUD_OPTIONS.flatMap(({ flag, takes }) => {
      const value = takes === 'one' ? options.text(flag) : options.flag(flag) || undefined
      return value === undefined ? [] : [[flag, value] as const]
    }),
  )
  const cloud = openCloud(
    { clock: systemClock, log: silentLog },
    readCloudSettings(io.env, { flags }),
  )
  await cloud.check()
  const { things, notes } = await planSetup(cloud, choices)
  const record = new Record(join(choices.data_dir, 'setup.json'))
  const job = {
    things,
    notes,
    record,
    choices,
    ask: !options.flag('yes'),
    json: options.flag('json'),
  }
  if (options.flag('undo')) return await undo(job, io)
  if (options.flag('check')) return await check(job, io)
  return verbs.length > 0 ? await plan(job, io) : await make(job, io)
}

interface Job {
  readonly things: readonly Thing[]
  /** Sentences about what was decided. */
  readonly notes: readonly string[]
  readonly record: Record
  readonly choices: SetupChoices
  readonly ask: boolean
  readonly json: boolean
}

/** What is there and what is not. */
async function plan({ things, notes, json }: Job, io: Io): Promise<Exit> {
  const found = await survey(things)
  if (json) {
    const list = found.map(({ thing, id }) => ({ thing: thing.title, id: id ?? null }))
    const obstacles = obstaclesOf(found)
    io.out(`${JSON.stringify({ things: list, notes, obstacles }, null, 2)}\n`)
    return EXIT.ok
  }
  const rows = found.map(({ thing, id }) => [id === undefined ? 'to make' : 'there', thing.title])
  io.out(table(rows))
  for (const note of [...notes, ...obstaclesOf(found)]) io.out(`${note}\n`)
  return EXIT.ok
}

async function check({ things, choices, json }: Job, io: Io): Promise<Exit> {
  const { config_file, url } = choices
  const missing = (await survey(things)).filter(({ id }) => id === undefined)
  const findings: Finding[] = missing.map(({ thing }) => fail(thing.title, 'missing; run setup'))
  if (existsSync(config_file)) {
    const config = loadConfig(config_file)
    const service = openServiceCloud({ clock: systemClock, log: silentLog }, config)
    findings.push(...(await checkCloud(config, service, systemClock.now())), await checkApi(url))
  }
  io.out(json ? `${JSON.stringify({ findings }, null, 2)}\n` : findingLines(findings, io))
  return isHealthy(findings) ? EXIT.ok : EXIT.failure
}

async function make(job: Job, io: Io): Promise<Exit> {
  const { things, notes, record, choices, json } = job
  const found = await survey(things)
  const missing = found.filter(({ id }) => id === undefined)
  const [obstacle] = obstaclesOf(found)
  if (obstacle !== undefined) throw new CommandFailure(obstacle)
  if (missing.length > 0) {
    if (!json) io.err(`to be made:\n${missing.map(({ thing }) => `  ${thing.title}\n`).join('')}`)
    if (job.ask) await confirm('Make this?', io)
    makeFolder(choices.data_dir, 0o700)
  }
  const made: string[] = []
  await makeMissing(things, record, ({ title }, isNew) => {
    if (!isNew) return
    made.push(title)
    if (!json) io.err(`made ${title}\n`)
  })
  if (json) io.out(`${JSON.stringify({ made, notes }, null, 2)}\n`)
  else {
    for (const note of notes) io.out(`${note}\n`)
    io.out(
      made.length === 0
        ? 'nothing was missing\n'
        : `${made.length} things were made. Now start it: octavia-lite serve --config-file ${choices.config_file}\n`,
    )
  }
  return EXIT.ok
}

async function undo({ things, record, ask, json }: Job, io: Io): Promise<Exit> {
  const mine = things.filter(({ key }) => record.has(key))
  if (mine.length > 0 && ask) {
    io.err(`to be removed:\n${mine.map(({ title }) => `  ${title}\n`).join('')}`)
    await confirm('Remove this?', io)
  }
  const removed: string[] = []
  await takeBack(things, record, ({ title }) => {
    removed.push(title)
    if (!json) io.err(`removed ${title}\n`)
  })
  if (json) io.out(`${JSON.stringify({ removed }, null, 2)}\n`)
  else
    io.out(removed.length === 0 ? 'setup has made nothing here\n' : `${removed.length} removed\n`)
  return EXIT.ok
}

async function readChoices(options: ParsedArguments): Promise<SetupChoices> {
  const { hostname } = systemSurroundings()
  const host = options.text('host') ?? hostname
  const config_file = options.text('config-file') ?? DEFAULT_CONFIG_FILE
  const known = existsSync(config_file) ? loadConfig(config_file) : loadConfig(null)
  const stdin = options.flag('service-password-stdin')
  const [given = ''] = stdin ? (await Bun.stdin.text()).split(/\r?\n/, 1) : []
  const topology = options.text('topology') ?? null
  if (topology !== null && topology !== 'SINGLE' && topology !== 'ACTIVE_STANDBY')
    throw new CommandFailure('--topology is SINGLE or ACTIVE_STANDBY', EXIT.usage)
  const image = options.text('image') ?? null
  if (image !== null && !existsSync(image))
    throw new CommandFailure(
      `${image} is not there; make it by 'octavia-lite image build'`,
      EXIT.usage,
    )
  return {
    config_file,
    data_dir: options.text('data-dir') ?? known.DEFAULT.data_dir,
    host,
    url: options.text('url') ?? `http://${host}:${known.api_settings.bind_port}`,
    username: options.text('username') ?? 'octavia',
    project_name: options.text('project') ?? 'service',
    password: stdin ? given : generatePassword(),
    password_given: stdin,
    network: options.text('network') ?? 'lb-mgmt-net',
    cidr: options.text('cidr') ?? '172.16.0.0/12',
    pool: options.text('pool') ?? null,
    provider: {
      network_type: options.text('provider-network-type') ?? null,
      physical_network: options.text('provider-physical-network') ?? null,
      segmentation_id: options.text('provider-segment') ?? null,
    },
    flavor: options.text('flavor') ?? 'amphora',
    image,
    image_tag: options.text('image-tag') ?? 'amphora',
    keypair: options.text('keypair') ?? 'octavia-lite',
    topology,
    interface: known.haproxy_amphora.lb_network_interface,
    agent_port: known.haproxy_amphora.bind_port,
    heartbeat_port: known.health_manager.bind_port,
  }
}
