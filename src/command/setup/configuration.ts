/** The configuration that setup writes, and what is on this machine besides. */
import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeFolder, SECRET_MODE, writeFileAtomic } from '../../system/files.ts'
import { openDataFolder } from '../serve/data-folder.ts'
import type { Ids, Thing } from './thing.ts'

type Value = string | number | boolean | readonly string[]
export type Sections = Readonly<Record<string, Readonly<Record<string, Value>>>>

export interface ConfigurationPlan {
  readonly file: string
  readonly data_dir: string
  /** Called once everything else is there. */
  readonly sections: (ids: Ids) => Promise<Sections>
}

/** TOML. JSON's strings, numbers and lists are TOML's too. */
export function renderSections(sections: Sections): string {
  return Object.entries(sections)
    .map(([name, values]) => {
      const lines = Object.entries(values).map(
        ([key, value]) => `${key} = ${JSON.stringify(value)}`,
      )
      return `[${name}]\n${lines.join('\n')}\n`
    })
    .join('\n')
}

export function localThings(plan: ConfigurationPlan): readonly Thing[] {
  return [keys(plan), configuration(plan)]
}

/** Both CAs, the controller's certificate and the key of heartbeats. */
function keys({ data_dir }: ConfigurationPlan): Thing {
  const file = join(data_dir, 'certs/server_ca.pem')
  return {
    key: 'keys',
    title: `CAs and keys in ${data_dir}`,
    find: async () => (existsSync(file) ? data_dir : undefined),
    make: async () => {
      const folder = await openDataFolder(data_dir)
      folder.release()
      return data_dir
    },
    // Amphorae that still run trust these, and the database beside them is not setup's.
    remove: async () => {},
  }
}

function configuration({ file, sections }: ConfigurationPlan): Thing {
  return {
    key: 'configuration',
    title: `configuration ${file}`,
    find: async () => (existsSync(file) ? file : undefined),
    make: async (ids) => {
      makeFolder(dirname(file))
      const head = '# Written by octavia-lite setup. Every option: octavia-lite config sample\n\n'
      writeFileAtomic(file, head + renderSections(await sections(ids)), SECRET_MODE)
      return file
    },
    remove: async (path) => rmSync(path, { force: true }),
  }
}
