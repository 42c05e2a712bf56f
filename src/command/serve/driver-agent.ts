/** The sockets of provider drivers, where there is a use for them. */
import { join } from 'node:path'
import type { Config } from '../../config/options.ts'
import { createDriverAgent, type DriverAgentOptions } from '../../provider/agent/driver-agent.ts'
import { findProvider } from '../../provider/providers.ts'
import type { Store } from '../../store/store.ts'
import { systemClock } from '../../system/clock.ts'
import { errorText, type Log } from '../../system/log.ts'
import { CommandFailure, EXIT } from '../io.ts'

/** What it returns stops them. Throws CommandFailure. */
export async function startDriverAgent(
  deps: { readonly store: Store; readonly log: Log },
  config: Config,
): Promise<() => Promise<void>> {
  const options = driverAgentOptions(config)
  if (options === null) return async () => {}
  const agent = createDriverAgent({ clock: systemClock, ...deps }, options)
  try {
    await agent.start()
  } catch (cause) {
    throw new CommandFailure(errorText(cause), EXIT.failure, cause)
  }
  const { status_socket_path, stats_socket_path, get_socket_path } = options
  const sockets = [status_socket_path, stats_socket_path, get_socket_path]
  deps.log.info('provider drivers can report', { sockets })
  return () => agent.stop()
}

/** null: no enabled provider reports, and no socket is named, so there are none. */
export function driverAgentOptions(config: Config): DriverAgentOptions | null {
  const { driver_agent: agent, api_settings } = config
  const { status_socket_path, stats_socket_path, get_socket_path } = agent
  const named = [status_socket_path, stats_socket_path, get_socket_path].some((p) => p !== null)
  const providers = Object.keys(api_settings.enabled_provider_drivers)
  if (!named && !providers.some((name) => findProvider(name)?.reports === true)) return null
  const inDataFolder = (name: string): string => join(config.DEFAULT.data_dir, name)
  return {
    ...agent,
    status_socket_path: status_socket_path ?? inDataFolder('status.sock'),
    stats_socket_path: stats_socket_path ?? inDataFolder('stats.sock'),
    get_socket_path: get_socket_path ?? inDataFolder('get.sock'),
  }
}
