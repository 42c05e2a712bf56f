/**
 * The program inside an amphora: it does what the controller asks for over HTTPS, keeps haproxy
 * running, and reports its health. What lives here: server and endpoints, the haproxy processes,
 * the namespace with its interfaces, heartbeats. It may import system, model, contract and
 * dataplane, because everything it loads is paid for in every amphora. What always holds: all state
 * is on disk, so the agent can be killed and started again at any moment without traffic noticing.
 */
import { readFileSync } from 'node:fs'
import { type AgentConfig, parseAgentConfig } from '../contract/agent-config.ts'
import { type Clock, systemClock } from '../system/clock.ts'
import { makeFolder, SECRET_MODE, writeFileAtomic } from '../system/files.ts'
import type { Log } from '../system/log.ts'
import { type Processes, systemProcesses } from '../system/process.ts'
import { createInfo } from './details.ts'
import { createHandlers } from './endpoints.ts'
import { HaproxyService } from './haproxy.ts'
import { createDatagramSender, Heartbeat, type SendDatagram } from './heartbeat.ts'
import { NetworkService } from './network.ts'
import { pathsOf } from './paths.ts'
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

  const network = new NetworkService({ processes, log, paths })
  const haproxy = new HaproxyService({
    processes,
    clock,
    log,
    paths,
    haproxy_cmd: config.haproxy_cmd,
    amphora_id: config.amphora_id,
    announce: () => network.announce(),
  })
  await network.ensureNamespace()
  await network.restore()
  await haproxy.supervise()

  const udp = createDatagramSender(log)
  const heartbeat = new Heartbeat(
    { clock, log, paths, haproxy, send: deps.send ?? udp.send },
    config,
  )
  const handlers = createHandlers({
    config: () => config,
    paths,
    haproxy,
    network,
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
  heartbeat.start()
  const watched = (task: () => Promise<void>) => () =>
    task().catch((error: unknown) => log.error('supervision failed', { error }))
  const endings = [
    clock.every(
      SUPERVISION_INTERVAL_MS,
      watched(() => haproxy.supervise()),
    ),
    clock.every(
      HEAL_INTERVAL_MS,
      watched(() => network.heal()),
    ),
  ]
  log.info('the agent is ready', { amphora_id: config.amphora_id, port: server.port })
  return {
    port: server.port,
    stop: async () => {
      for (const end of endings) end()
      heartbeat.stop()
      await server.stop()
      udp.close()
    },
  }
}

/** Reads the configuration and starts the agent on this machine. */
export function runAgent(configPath: string, deps: { readonly log: Log }): Promise<Agent> {
  const config = parseAgentConfig(readFileSync(configPath, 'utf8'))
  return startAgent({ processes: systemProcesses, clock: systemClock, configPath, ...deps }, config)
}
