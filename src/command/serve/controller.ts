/** `serve`, put together by hand: reads as the story of a start and of a stop. */
import { type App, createApi } from '../../api/app.ts'
import { createKeyManagerApp } from '../../api/key-manager/app.ts'
import { KEY_MANAGER_PREFIX } from '../../api/key-manager/route.ts'
import { listenApi } from '../../api/listen.ts'
import { mountApps } from '../../api/mount.ts'
import type { LocalNetworks } from '../../api/route.ts'
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/options.ts'
import { mutableChanges } from '../../config/reload.ts'
import { createEngine, type Engine } from '../../flow/engine.ts'
import type { Boundary } from '../../flow/step.ts'
import { createHealthManager, type HealthManagerDeps } from '../../health/health-manager.ts'
import { createHousekeeping } from '../../housekeeping/housekeeping.ts'
import type { Policy } from '../../policy/check.ts'
import { openKeyring } from '../../secret/keyring.ts'
import { openVault, type Vault } from '../../secret/vault.ts'
import { openStore, type Store } from '../../store/store.ts'
import { systemClock } from '../../system/clock.ts'
import { systemDatagrams } from '../../system/datagram.ts'
import { newId, newOrderedId } from '../../system/ids.ts'
import { createLog, errorText, type Log } from '../../system/log.ts'
import { BuildPlaces } from '../../worker/build-places.ts'
import { createAnnouncer } from '../../worker/events.ts'
import { abandonJob, FLOWS } from '../../worker/flows.ts'
import { CommandFailure, EXIT } from '../io.ts'
import { openAuditor } from './audit.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { startDriverAgent } from './driver-agent.ts'
import { createDrivers, type Drivers } from './drivers.ts'
import { openIdentity } from './identity.ts'
import type { OpenIdentity } from './local-identity.ts'
import { openPolicy, type ReloadablePolicy } from './policy-files.ts'
import { agentConfigRenderer, apiOptions, operationSettings, workerOptions } from './settings.ts'

export interface ControllerOptions {
  /** null is the embedded default. */
  readonly configFile: string | null
  /** The octavia-lite that runs in amphorae of the local cloud; absolute. */
  readonly agentExecutable: string
  /** Whether the log is for people, where the configuration leaves that open. */
  readonly terminal: boolean
  readonly write: (line: string) => void
  /** Where a test stops the world. */
  readonly checkpoint?: (boundary: Boundary) => void
}

export interface Controller {
  readonly url: URL
  /** Takes over the mutable options of the file as it is now. */
  reload(): void
  /** No new work; flows stop at a step boundary and go on at the next start. */
  stop(): Promise<void>
}

/** Between looks at the links and processes of the local cloud. */
const HEAL_MS = 5_000

/**
 * Throws ConfigError, PolicyError, StoreError, DriverError or CommandFailure, for the operator to
 * read, when it cannot start; then everything is as it was.
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  // Undone from the last to the first, by a stop and by a start that fails on the way.
  const undo: Undo = []
  const unwind = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const started = await startParts(options, undo)
    return {
      ...started,
      stop: async () => {
        started.log.info('octavia-lite stops at the next step boundaries')
        await unwind()
        started.log.info('octavia-lite has stopped')
      },
    }
  } catch (error) {
    await unwind()
    throw error
  }
}

type Undo = (() => unknown)[]
type Started = Omit<Controller, 'stop'> & { readonly log: Log }

async function startParts(options: ControllerOptions, undo: Undo): Promise<Started> {
  let config = loadConfig(options.configFile)
  const rules = openPolicy(config, options.configFile)
  const log = openLog(options, () => config)
  const folder = await openDataFolder(config.DEFAULT.data_dir)
  undo.push(folder.release)
  const store = openStore(folder.database)
  undo.push(() => store.close())
  const heartbeatKey = (): string => config.health_manager.heartbeat_key ?? folder.heartbeatKey
  const vault = await openSecrets(config, folder, store)
  const { agentExecutable } = options
  const drivers = createDrivers({ config, folder, store, vault, log, agentExecutable })
  const engine = createEngine(
    {
      store,
      clock: systemClock,
      log,
      flows: FLOWS,
      abandoned: abandonJob,
      world: {
        clock: systemClock,
        ...drivers,
        renderAgentConfig: agentConfigRenderer(() => config, {
          heartbeatKey,
          managementAddress: () => drivers.management?.address,
        }),
        client_ca: drivers.clientCa,
        places: new BuildPlaces(config.haproxy_amphora.build_rate_limit),
        options: workerOptions(config),
      },
      ...(config.controller_worker.event_notifications
        ? { done: createAnnouncer({ read: store.read, log }) }
        : {}),
      ...(options.checkpoint === undefined ? {} : { checkpoint: options.checkpoint }),
    },
    config.task_flow,
  )
  const identity = openIdentity({ store, config, folder, log, networks: networksOf(drivers) })
  const { policy } = rules
  const gate = closedUntilOpened(
    openApi({ config, policy, store, vault, drivers, engine, log, identity }),
  )
  // The port first: where it is taken, nothing of this machine may have been touched.
  const listening = listen(gate.app, config)
  undo.push(() => listening.stop())
  await startCloud(drivers, log, undo)
  await startManagement(drivers, undo)
  await engine.start()
  undo.push(() => engine.stop())
  await startHealth({ store, log, engine, newId }, () => config, heartbeatKey, undo)
  undo.push(await startDriverAgent({ store, log }, config))
  const housekeeping = createHousekeeping(
    { clock: systemClock, store, log, engine },
    config.house_keeping,
  )
  housekeeping.start()
  undo.push(() => housekeeping.stop())
  await identity.ensureAdministrator(listening.url)
  gate.open()
  log.info('octavia-lite serves', { url: listening.url.href, data_dir: config.DEFAULT.data_dir })
  return {
    log,
    url: listening.url,
    reload: () => {
      config = reloaded(config, options.configFile, log)
      reloadRules(rules, log)
    },
  }
}

/** Without Neutron there is nobody else to tell clients which networks there are. */
function networksOf({ network, cloud }: Drivers): LocalNetworks | null {
  if (network.imaginary !== true) return cloud ?? null
  return { listNetworks: () => [], listSubnets: () => [], madeUp: network }
}

function openApi(parts: {
  readonly config: Config
  readonly policy: Policy
  readonly store: Store
  readonly vault: Vault | undefined
  readonly drivers: Drivers
  readonly engine: Engine
  readonly log: Log
  readonly identity: OpenIdentity
}): App {
  const { config, policy, store, vault, drivers, engine, log, identity } = parts
  const api = createApi({
    store,
    network: drivers.network,
    compute: drivers.compute,
    certificateManager: drivers.certificateManager,
    clock: systemClock,
    newId: newOrderedId,
    engine,
    log,
    settings: operationSettings(config),
    identity: identity.driver,
    policy,
    options: apiOptions(config),
    localNetworks: networksOf(drivers),
    audit: openAuditor(config, { log, newId, clock: systemClock }),
  })
  const app = identity.beside(api)
  if (vault === undefined) return app
  const { api_base_uri } = config.api_settings
  const { max_request_body_size } = config.oslo_middleware
  const keyManager = createKeyManagerApp({
    ...{ store, vault, clock: systemClock, newId, identity: identity.driver, policy, log },
    settings: { defaults: operationSettings(config).defaults },
    options: { api_base_uri, max_request_body_size },
  })
  return mountApps(app, { [KEY_MANAGER_PREFIX]: keyManager })
}

/** undefined where secrets are kept elsewhere. */
async function openSecrets(
  { certificates }: Config,
  folder: DataFolder,
  store: Store,
): Promise<Vault | undefined> {
  if (certificates.cert_manager !== 'local_cert_manager') return undefined
  return await openVault(store, openKeyring(folder.secretKeys))
}

function openLog(options: ControllerOptions, config: () => Config): Log {
  const { log_format } = config().DEFAULT
  const auto = options.terminal ? 'human' : 'json'
  return createLog({
    format: log_format === 'auto' ? auto : log_format,
    level: () => (config().DEFAULT.debug ? 'debug' : 'info'),
    write: options.write,
    now: () => systemClock.now(),
  })
}

/** Requests that come while the rest starts wait for it. */
function closedUntilOpened(app: App): { readonly app: App; open(): void } {
  const opened = Promise.withResolvers<void>()
  let isOpen = false
  return {
    app: {
      handle: async (request, peer) => {
        if (!isOpen) await opened.promise
        return await app.handle(request, peer)
      },
    },
    open: () => {
      isOpen = true
      opened.resolve()
    },
  }
}

function listen(app: App, config: Config): ReturnType<typeof listenApi> {
  const { bind_host: hostname, bind_port: port } = config.api_settings
  try {
    return listenApi(app, { hostname, port })
  } catch (cause) {
    const { code } = cause as { code?: string }
    const why = code === 'EADDRINUSE' ? 'the port is in use' : errorText(cause)
    throw new CommandFailure(
      `the API cannot listen on ${hostname}:${port}: ${why}; set [api_settings] bind_host and bind_port`,
      EXIT.failure,
      cause,
    )
  }
}

async function startCloud({ cloud }: Drivers, log: Log, undo: Undo): Promise<void> {
  if (cloud === undefined) return
  undo.push(async () => {
    // With nothing left that needs them, the networks go too; otherwise they and the amphorae stay.
    await cloud.teardownIfIdle()
    await cloud.stop()
  })
  await cloud.start()
  const end = systemClock.every(HEAL_MS, async () => {
    try {
      const { repaired, problems } = await cloud.heal()
      if (repaired.length > 0) log.warning('local cloud repaired', { repaired })
      for (const problem of problems) log.error('local cloud cannot be repaired', { problem })
    } catch (error) {
      log.error('local cloud cannot be looked at', { error })
    }
  })
  undo.push(end)
}

async function startManagement({ management }: Drivers, undo: Undo): Promise<void> {
  if (management === undefined) return
  undo.push(() => management.stop())
  await management.start()
}

async function startHealth(
  deps: Pick<HealthManagerDeps, 'store' | 'log' | 'engine' | 'newId'>,
  config: () => Config,
  heartbeatKey: () => string,
  undo: Undo,
): Promise<void> {
  const options = config().health_manager
  const health = createHealthManager(
    { clock: systemClock, datagrams: systemDatagrams, ...deps },
    {
      ...options,
      ...receiveBuffer(config()),
      heartbeat_key: heartbeatKey,
      accept_replayed: () => config().health_manager.accept_replayed_heartbeats,
      heartbeat_interval_ms: () => config().health_manager.heartbeat_interval * 1000,
      heartbeat_timeout_ms: options.heartbeat_timeout * 1000,
      health_check_interval_ms: options.health_check_interval * 1000,
      statistics_drivers: config().controller_worker.statistics_drivers,
    },
  )
  try {
    await health.start()
  } catch (cause) {
    throw new CommandFailure(
      `heartbeats cannot be received at ${options.bind_ip}:${options.bind_port}: ` +
        `${errorText(cause)}; set [health_manager] bind_ip and bind_port`,
      EXIT.failure,
      cause,
    )
  }
  undo.push(() => health.stop())
}

function receiveBuffer(config: Config): { receive_buffer_bytes?: number } {
  const { sock_rlimit } = config.health_manager
  return sock_rlimit === 0 ? {} : { receive_buffer_bytes: sock_rlimit }
}

/** Files that are wrong now change nothing. */
function reloadRules(rules: ReloadablePolicy, log: Log): void {
  try {
    rules.reload()
  } catch (error) {
    log.error('policy files are wrong and were not taken over', { error })
  }
}

/** A file that is wrong now changes nothing. */
function reloaded(running: Config, file: string | null, log: Log): Config {
  try {
    const { config, changed, ignored } = mutableChanges(running, loadConfig(file))
    log.info('configuration read again', { changed })
    if (ignored.length > 0) log.warning('these options need a restart', { ignored })
    return config
  } catch (error) {
    log.error('configuration is wrong and was not taken over', { error })
    return running
  }
}
