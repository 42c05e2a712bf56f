/** `octavia-lite doctor`: what is wrong with an installation, and what to do next. */
import { systemClock } from '../system/clock.ts'
import { silentLog } from '../system/log.ts'
import { systemProcesses } from '../system/process.ts'
import { parseArguments } from './arguments.ts'
import { configFile, DEFAULT_CONFIG_FILE } from './config.ts'
import { checkAll } from './doctor/checks.ts'
import { findingLines, isHealthy } from './doctor/finding.ts'
import { tellOrphans } from './doctor/orphans.ts'
import { endStuck } from './doctor/stuck.ts'
import { type Command, CommandFailure, EXIT, type Exit, type Io } from './io.ts'

export const command: Command = {
  summary: 'tell what is wrong with an installation, and what to do',
  help: `usage: octavia-lite doctor [--json]
       octavia-lite doctor orphans [--delete [--yes]] [--json]
       octavia-lite doctor stuck [--yes] [--json]

Looks at configuration, data directory, service, certificates, what this machine or the OpenStack
cloud needs, jobs, load balancers and amphorae. One line each: ok, warn, or fail with what to do.
Exit 1 when something has failed. Nothing is changed.

orphans lists what this octavia-lite made in the cloud and no row of its database has any more
(servers, ports, security groups, server groups, volumes; amphorae and ports of the local cloud),
and rows whose server or port is gone. --delete takes the former away; exit 1 while there are any.
What is not surely ours is neither listed nor deleted: things carry the name of this deployment, or
belong to load balancers of which the database still knows.

stuck sets load balancers that are in PENDING_* without a job to ERROR.

  --config-file FILE  default ${DEFAULT_CONFIG_FILE}
  --yes               do not ask first
  --json              print JSON
`,
  async run(args, io) {
    const options = parseArguments(
      args,
      {
        'config-file': { type: 'string' },
        delete: { type: 'boolean' },
        yes: { type: 'boolean' },
        json: { type: 'boolean' },
      },
      1,
    )
    const [verb] = options.positionals
    const json = options.flag('json')
    const ask = !options.flag('yes')
    const config_file = options.text('config-file')
    if (options.flag('delete') && verb !== 'orphans')
      throw new CommandFailure('--delete belongs to doctor orphans', EXIT.usage)
    if (verb === undefined) return await examine(configFile(config_file), json, io)
    if (verb === 'orphans')
      return await tellOrphans({ config_file, remove: options.flag('delete'), ask, json }, io)
    if (verb === 'stuck') return await endStuck({ config_file, ask, json }, io)
    throw new CommandFailure('say doctor, doctor orphans or doctor stuck; see --help', EXIT.usage)
  },
}

async function examine(file: string | null, json: boolean, io: Io): Promise<Exit> {
  const deps = { clock: systemClock, log: silentLog, processes: systemProcesses }
  const sections = await checkAll(deps, file)
  const all = sections.flatMap(({ findings }) => findings)
  const healthy = isHealthy(all)
  if (json) io.out(`${JSON.stringify({ healthy, sections }, null, 2)}\n`)
  else {
    for (const { title, findings } of sections)
      io.out(`${title}\n${indented(findingLines(findings, io))}`)
    const count = (state: string): number => all.filter((each) => each.state === state).length
    io.out(`\n${count('fail')} failed, ${count('warn')} to look at, ${count('ok')} ok\n`)
  }
  return healthy ? EXIT.ok : EXIT.failure
}

function indented(lines: string): string {
  return lines.replace(/^(?=.)/gm, '  ')
}
