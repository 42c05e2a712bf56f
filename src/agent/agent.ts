/**
 * The program inside an amphora: it does what the controller asks for over HTTPS, keeps haproxy and
 * keepalived running, and reports its health. What lives here: server and endpoints, the processes
 * of haproxy and keepalived, the namespace with its interfaces, heartbeats. It may import system,
 * model, contract and dataplane, because everything it loads is paid for in every amphora. What
 * always holds: all state is on disk, so the agent can be killed and started again at any moment
 * without traffic noticing.
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type AgentConfig, parseAgentConfig } from '../contract/agent-config.ts'
import { KEPT_RSYSLOG_PATH, withRsyslog } from '../contract/rsyslog.ts'
import { type Clock, systemClock } from '../system/clock.ts'
import { makeFolder, readTextIfExists, SECRET_MODE, writeFileAtomic } from '../system/files.ts'
import type { Log } from '../system/log.ts'
import { type Processes, systemProcesses } from '../system/process.ts'
import { CertificateStore } from './certificates.ts'
import { createInfo } from './details.ts'
import { createHandlers } from './endpoints.ts'
import { HaproxyService } from './haproxy.ts'
import { createDatagramSender, Heartbeat, type SendDatagram } from './heartbeat.ts'
import { KeepalivedService } from './keepalived.ts'
import { LogService } from './log-service.ts'
import { LvsService } from './lvs.ts'
import { startMetrics } from './metrics.ts'
import { NetworkService } from './network.ts'
import { type Paths, pathsOf } from './paths.ts'
import { type AgentServer, startServer } from './server.ts'
import { renderUserGroup } from './user-group.ts'

/** haproxy runs it as nobody, with the member's address in the environment. */
const PING_SCRIPT = `#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin exec ping -q -n -w 1 -c 1 "$HAPROXY_SERVER_ADDR" >/dev/null 2>&1
`
const PROGRAM_MODE = 0o755
const SUPERVISION_INTERVAL_MS = 1_000
const HEAL_INTERVAL_MS = 5_000

export interface AgentDeps {
  readonly processes: Processes
  readonly clock: Clock
  readonly log: Log
  /** Absent: by UDP. */
  readonly send?: SendDatagram
  /** This very program with its command `agent`: what keepalived calls to check members. */
  readonly self: readonly string[]
  /** Where PUT config writes; absent: nowhere. */
  readonly configPath?: string
}

export interface Agent {
  /** The port it listens on. */
  readonly port: number
  /** Ends the agent; haproxy and the namespace go on. */
  stop(): Promise<void>
}

export async function startAgent(deps: AgentDeps, initial: AgentConfig): Promise<Agent> {
  const { processes, clock, log } = deps
  let config = initial
  const paths = pathsOf(config)
  makeFolder(paths.base)
  writeFileAtomic(paths.userGroup, renderUserGroup())
  writeFileAtomic(paths.pingWrapper, PING_SCRIPT, PROGRAM_MODE)

  const services = createServices(deps, config, paths)
  const { network, certificates, haproxy, lvs, keepalived } = services
  await network.ensureNamespace()
  await network.restore()
  await haproxy.supervise()
  await lvs.supervise()
  await keepalived.supervise()

  const udp = createDatagramSender(log)
  const logs = new LogService({ clock, log, hostname: hostname(), send: udp.send }, config)
  await logs.start()
  const heartbeat = new Heartbeat(
    { clock, log, paths, haproxy, lvs, keepalived, send: deps.send ?? udp.send },
    config,
  )
  const handlers = createHandlers({
    config: () => config,
    paths,
    haproxy,
    lvs,
    certificates,
    keepalived,
    network,
    logs,
    info: createInfo({ processes, haproxy_cmd: config.haproxy_cmd }),
    replaceServerCertificate: (pem) => server.replaceCertificate(pem),
    reconfigure: (text, next) => {
      if (deps.configPath !== undefined) writeFileAtomic(deps.configPath, text, SECRET_MODE)
      // Everything else in it takes a restart of the agent.
      const { heartbeat_key, heartbeat_interval_s, controller_ip_port_list } = next
      config = { ...config, heartbeat_key, heartbeat_interval_s, controller_ip_port_list }
      heartbeat.reconfigure(config)
    },
  })
  const server: AgentServer = startServer({ log }, config, handlers)
  const metrics = startMetrics(log)
  heartbeat.start()
  const endings = supervise(deps, services)
  log.info('the agent is ready', { amphora_id: config.amphora_id, port: server.port })
  return {
    port: server.port,
    stop: async () => {
      for (const end of endings) end()
      heartbeat.stop()
      await server.stop()
      await metrics.stop()
      logs.stop()
      udp.close()
    },
  }
}

interface Services {
  readonly network: NetworkService
  readonly certificates: CertificateStore
  readonly haproxy: HaproxyService
  readonly lvs: LvsService
  readonly keepalived: KeepalivedService
}

function createServices(deps: AgentDeps, config: AgentConfig, paths: Paths): Services {
  const { processes, clock, log, self } = deps
  const network = new NetworkService({ processes, log, paths })
  const certificates = new CertificateStore({ processes, paths })
  const serving = { processes, clock, log, paths, announce: () => network.announce() }
  const { haproxy_cmd, amphora_id } = config
  const haproxy = new HaproxyService({ ...serving, certificates, haproxy_cmd, amphora_id })
  return {
    network,
    certificates,
    haproxy,
    lvs: new LvsService({ ...serving, self }),
    keepalived: new KeepalivedService({ processes, clock, log, paths, haproxy }),
  }
}

/** Returns what ends it. */
function supervise({ clock, log }: AgentDeps, services: Services): (() => void)[] {
  const { network, haproxy, lvs, keepalived } = services
  const every = (ms: number, task: () => Promise<void>) =>
    clock.every(ms, () =>
      task().catch((error: unknown) => log.error('supervision failed', { error })),
    )
  return [
    every(SUPERVISION_INTERVAL_MS, () => haproxy.supervise()),
    every(SUPERVISION_INTERVAL_MS, () => lvs.supervise()),
    every(SUPERVISION_INTERVAL_MS, () => keepalived.supervise()),
    every(HEAL_INTERVAL_MS, () => network.heal()),
  ]
}

/** Reads the configuration and starts the agent on this machine. */
export function runAgent(
  configPath: string,
  deps: Pick<AgentDeps, 'log' | 'self'>,
): Promise<Agent> {
  const rsyslog = join(dirname(configPath), basename(KEPT_RSYSLOG_PATH))
  const told = parseAgentConfig(readFileSync(configPath, 'utf8'))
  const config = withRsyslog(told, readTextIfExists(rsyslog))
  return startAgent({ processes: systemProcesses, clock: systemClock, configPath, ...deps }, config)
}
