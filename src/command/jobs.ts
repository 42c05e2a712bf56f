/** `octavia-lite jobs`: what the engine did and does, read from the running API. */
import { parseArguments } from './arguments.ts'
import { type OpenCloud, openCloud, reasonIn } from './cloud-login.ts'
import { cloudBesideServe } from './config.ts'
import { type Command, CommandFailure, EXIT, type Exit, type Io, table } from './io.ts'

interface Job {
  readonly id: string
  readonly flow: string
  readonly load_balancer_id: string | null
  readonly status: string
  readonly error: string | null
  readonly request_id: string | null
  readonly created_ms: number
  readonly started_ms: number | null
  readonly finished_ms: number | null
  readonly steps?: readonly Step[]
}

interface Step {
  readonly name: string
  readonly status: string
  readonly attempts: number
  readonly error: string | null
  readonly started_ms: number
  readonly finished_ms: number | null
}

export const command: Command = {
  summary: 'list jobs, or show one with its steps, times, retries and errors',
  help: `usage: octavia-lite jobs list [--load-balancer ID] [--status STATUS] [--limit N] [--json]
       octavia-lite jobs show ID [--json]

Every change is a job: its steps, how long each took, how often it was tried, and why it failed.
STATUS is one of HELD, QUEUED, RUNNING, REVERTING, DONE, REVERTED, FAILED.

It logs in with OS_CLOUD and clouds.yaml or OS_* variables, like every client of OpenStack;
without them with the clouds.yaml beside the data of this machine's serve, if there is one.

  --load-balancer ID  only those of this one
  --status STATUS     only those that stand so
  --limit N           the newest N, default 100, at most 1000
  --url URL           the API to ask (default http://127.0.0.1:9876, or the catalogue's)
  --config-file FILE  the configuration of that serve
  --json              print JSON
`,
  async run(args, io) {
    const options = parseArguments(
      args,
      {
        'load-balancer': { type: 'string' },
        status: { type: 'string' },
        limit: { type: 'string' },
        url: { type: 'string' },
        'config-file': { type: 'string' },
        json: { type: 'boolean' },
      },
      2,
    )
    const url = options.text('url')
    const cloud = await openCloud(io.env, {
      ...cloudBesideServe(options.text('config-file')),
      ...(url === undefined ? {} : { endpoint: url }),
    })
    const [verb, id] = options.positionals
    if (verb === 'list' && id === undefined) {
      const query = new URLSearchParams()
      for (const [name, key] of [
        ['load-balancer', 'load_balancer_id'],
        ['status', 'status'],
        ['limit', 'limit'],
      ] as const) {
        const value = options.text(name)
        if (value !== undefined) query.set(key, value)
      }
      const { jobs } = (await ask(cloud, `jobs?${query}`)) as { jobs: Job[] }
      return print(io, options.flag('json'), jobs, () => listText(jobs))
    }
    if (verb === 'show' && id !== undefined) {
      const { job } = (await ask(cloud, `jobs/${encodeURIComponent(id)}`)) as { job: Job }
      return print(io, options.flag('json'), job, () => showText(job))
    }
    throw new CommandFailure('jobs takes `list` or `show ID`; see --help', EXIT.usage)
  },
}

async function ask(cloud: OpenCloud, path: string): Promise<unknown> {
  const { status, text } = await cloud.request('GET', `/v2.0/octavia-lite/${path}`)
  if (status === 200) return JSON.parse(text)
  throw new CommandFailure(`${status}: ${reasonIn(text)}`)
}

function print(io: Io, json: boolean, value: unknown, text: () => string): Exit {
  io.out(json ? `${JSON.stringify(value, null, 2)}\n` : text())
  return EXIT.ok
}

function listText(jobs: readonly Job[]): string {
  const rows = jobs.map((job) => [
    job.id,
    job.flow,
    job.status,
    new Date(job.created_ms).toISOString().slice(0, 19),
    duration(job.started_ms, job.finished_ms),
    job.load_balancer_id ?? '-',
    job.error ?? '',
  ])
  return table([['id', 'flow', 'status', 'created', 'took', 'load balancer', 'error'], ...rows])
}

function showText(job: Job): string {
  const head = [
    ['id', job.id],
    ['flow', job.flow],
    ['status', job.status],
    ['load balancer', job.load_balancer_id ?? '-'],
    ['request', job.request_id ?? '-'],
    ['created', new Date(job.created_ms).toISOString()],
    ['took', duration(job.started_ms, job.finished_ms)],
    ['error', job.error ?? '-'],
  ]
  const steps = (job.steps ?? []).map((step) => [
    step.name,
    step.status,
    String(step.attempts),
    duration(step.started_ms, step.finished_ms),
    step.error ?? '',
  ])
  return `${table(head)}\n${table([['step', 'status', 'tries', 'took', 'error'], ...steps])}`
}

function duration(from: number | null, to: number | null): string {
  if (from === null || to === null) return '-'
  return to - from < 10_000 ? `${to - from} ms` : `${((to - from) / 1000).toFixed(1)} s`
}
