/** What SIGHUP changes in a running process. Pure. */
import type { Option } from './option.ts'
import { type Config, SECTIONS } from './options.ts'

export interface Reload {
  /** The running configuration with the mutable options of the new one. */
  readonly config: Config
  /** `section.option`, now in effect. */
  readonly changed: readonly string[]
  /** `section.option`, differs in the file but waits for a restart: worth a warning. */
  readonly ignored: readonly string[]
}

/** Compares the running configuration with one just loaded. Names only: values may be secret. */
export function mutableChanges(running: Config, loaded: Config): Reload {
  const changed: string[] = []
  const ignored: string[] = []
  const merged: Record<string, Readonly<Record<string, unknown>>> = {}
  const before: Readonly<Record<string, Readonly<Record<string, unknown>>>> = running
  const after: Readonly<Record<string, Readonly<Record<string, unknown>>>> = loaded
  for (const [section, options] of Object.entries(SECTIONS)) {
    const values: Record<string, unknown> = { ...before[section] }
    for (const [name, option] of Object.entries<Option<unknown>>(options)) {
      const next = after[section]?.[name]
      if (option.status === 'obsolete' || Bun.deepEquals(values[name], next)) continue
      if (option.mutable) values[name] = next
      ;(option.mutable ? changed : ignored).push(`${section}.${name}`)
    }
    merged[section] = Object.freeze(values)
  }
  // Each section has exactly the options of SECTIONS, with values of either configuration.
  return { config: Object.freeze(merged) as unknown as Config, changed, ignored }
}
