/**
 * `npm run fuzz -- [--requests N] [--seed S]`: many requests, all resources, several roles. Ends
 * with what was answered, or with the requests before the first thing that must not be.
 * `npm run fuzz -- --configurations N [--seed S]`: N random load balancers as configurations of
 * haproxy and keepalived; HAPROXY names another one than the installed.
 */
import { KEEPALIVED } from '../dataplane/keepalived.ts'
import { fuzzConfigurations } from './configurations.ts'
import { type FuzzReport, fuzz } from './run.ts'

const REQUESTS = 200_000
const SEED = 20_260_102

async function main(args: readonly string[]): Promise<number> {
  const seed = numberAfter(args, '--seed') ?? SEED
  const trees = numberAfter(args, '--configurations')
  if (trees !== undefined) return configurations(trees, seed)
  const requests = numberAfter(args, '--requests') ?? REQUESTS
  const started = performance.now()
  say(`${requests} requests, seed ${seed}`)
  const report = await fuzz({
    seed,
    requests,
    progress: ({ requests: done, batches }) => {
      if (batches % 10 === 0) say(`${done} requests, ${rate(done, started)} a second`)
    },
  })
  process.stdout.write(render(report, seed, (performance.now() - started) / 1000))
  return report.broken.length === 0 ? 0 : 1
}

function configurations(trees: number, seed: number): number {
  const path = `${process.env.PATH}:/usr/sbin`
  const haproxy = process.env.HAPROXY ?? Bun.which('haproxy', { PATH: path })
  const version = haproxy === null ? '' : Bun.spawnSync([haproxy, '-v']).stdout.toString()
  const haproxy_version = /version (\d\S*)/.exec(version)?.[1] ?? '2.6'
  const keepalived = KEEPALIVED
  const progress = (done: number): unknown =>
    done % 10_000 === 0 && say(`${done} load balancers of ${trees}`)
  const options = { seed, trees, haproxy, haproxy_version, keepalived, progress }
  const report = fuzzConfigurations(options)
  const { lines, datagrams, asked, alone, wrong } = report
  const where = keepalived === null ? 'keepalived is not there' : 'keepalived looked at them'
  process.stdout.write(
    `${trees} random load balancers, ${lines} lines, seed ${seed}; ` +
      `${haproxy === null ? 'haproxy is not there' : `haproxy ${haproxy_version}`}: ${asked} ` +
      `looked at, ${alone} of them alone; ${datagrams} UDP and SCTP listeners, ${where}\n`,
  )
  for (const what of wrong) process.stdout.write(`WRONG: ${what}\n`)
  if (wrong.length === 0) process.stdout.write('0 lines of nobody, 0 refused\n')
  return wrong.length === 0 ? 0 : 1
}

function numberAfter(args: readonly string[], name: string): number | undefined {
  const at = args.indexOf(name)
  return at < 0 ? undefined : Number(args[at + 1])
}

function rate(done: number, started: number): string {
  return ((done * 1000) / (performance.now() - started)).toFixed(0)
}

function render(report: FuzzReport, seed: number, seconds: number): string {
  const { requests, statuses, successes, made, callers, jobs, batches, broken, tail } = report
  const sorted = [...statuses].sort(([a], [b]) => a - b)
  const failures = sorted.filter(([status]) => status >= 500)
  const deliberate = failures.map(([status, count]) => `${count} x ${status}`).join(', ')
  const lines = [
    ...[...successes].sort().map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`),
    `made: ${[...made]
      .sort()
      .map(([what, count]) => `${what}: ${count}`)
      .join(', ')}`,
    `answers: ${sorted.map(([status, count]) => `${status}: ${count}`).join(', ')}`,
    `callers (class of status): ${[...callers]
      .sort()
      .map(([who, count]) => `${who}xx: ${count}`)
      .join(', ')}`,
    `${requests} requests in ${seconds.toFixed(0)} s, seed ${seed}; ${successes.size} operations ` +
      `succeeded; ${jobs} jobs; invariants looked at ${batches} times`,
    `5xx: ${broken.length === 0 ? `0 but deliberate refusals (${deliberate || 'none'})` : 'see below'}`,
  ]
  if (broken.length > 0)
    lines.push('', 'The last requests:', ...tail, '', 'BROKEN:', ...broken.slice(0, 50))
  else lines.push('all invariants hold')
  return `${lines.join('\n')}\n`
}

function say(text: string): void {
  process.stderr.write(`fuzz: ${text}\n`)
}

process.exitCode = await main(process.argv.slice(2))
