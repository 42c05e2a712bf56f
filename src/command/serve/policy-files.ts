/** The policy files of a configuration, found and read; what they mean is in policy/. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Config } from '../../config/options.ts'
import { createPolicy, type Policy } from '../../policy/check.ts'
import { type Override, type Overrides, PolicyError } from '../../policy/compile.ts'
import { parsePolicyFile } from '../../policy/file.ts'
import { readTextIfExists } from '../../system/files.ts'
import { errorText } from '../../system/log.ts'

/** Upstream's default, which need not be there. */
const DEFAULT_FILE = 'policy.yaml'

/**
 * The policy of a configuration read from `configFile`; names of files are relative to its folder.
 * Throws PolicyError.
 */
export function loadPolicy({ oslo_policy: options }: Config, configFile: string | null): Policy {
  const overrides = configFile === null ? new Map() : readOverrides(options, dirname(configFile))
  return createPolicy({ ...options, overrides })
}

export interface ReloadablePolicy {
  readonly policy: Policy
  /** Reads the files again; throws PolicyError, and then the rules stay as they were. */
  reload(): void
}

/** Throws PolicyError. */
export function openPolicy(config: Config, configFile: string | null): ReloadablePolicy {
  let current = loadPolicy(config, configFile)
  return {
    policy: {
      isAllowed: (rule, caller, project_id) => current.isAllowed(rule, caller, project_id),
      get effective() {
        return current.effective
      },
    },
    reload: () => {
      current = loadPolicy(config, configFile)
    },
  }
}

function readOverrides(options: Config['oslo_policy'], folder: string): Overrides {
  const overrides = new Map<string, Override>()
  const main = resolve(folder, options.policy_file)
  // A file that was asked for and is not there would silently leave the defaults in force.
  const optional = options.policy_file === DEFAULT_FILE
  for (const file of [...mainFiles(main, optional), ...filesOf(folder, options.policy_dirs)])
    for (const [name, override] of readPolicyFile(file)) overrides.set(name, override)
  return overrides
}

function mainFiles(main: string, optional: boolean): string[] {
  if (!optional || existsSync(main)) return [main]
  const toml = main.replace(/yaml$/, 'toml')
  return existsSync(toml) ? [toml] : []
}

/** In the order of their names, as upstream; later ones win. */
function filesOf(folder: string, dirs: readonly string[]): string[] {
  return dirs
    .map((dir) => resolve(folder, dir))
    .filter((dir) => existsSync(dir) && statSync(dir).isDirectory())
    .flatMap((dir) =>
      readdirSync(dir)
        .filter((name) => !name.startsWith('.') && statSync(resolve(dir, name)).isFile())
        .sort()
        .map((name) => resolve(dir, name)),
    )
}

/** Throws PolicyError, also where there is no such file. */
export function readPolicyFile(file: string): Overrides {
  let text: string | undefined
  try {
    text = readTextIfExists(file)
  } catch (error) {
    throw new PolicyError([`${file}: cannot be read: ${errorText(error)}`])
  }
  if (text === undefined) throw new PolicyError([`${file}: there is no such file`])
  return parsePolicyFile(file, text)
}
