/** What `[audit]` asks for. */
import { type Auditor, createAuditor } from '../../api/audit.ts'
import { BUILT_IN_AUDIT_MAP, parseAuditMap } from '../../api/audit-map.ts'
import { ConfigError } from '../../config/load.ts'
import { AUDIT_MAP_FILE } from '../../config/options/api.ts'
import type { Config } from '../../config/options.ts'
import { readTextIfExists } from '../../system/files.ts'
import { errorText } from '../../system/log.ts'

/** undefined where nothing is audited. Throws ConfigError where the map cannot be used. */
export function openAuditor(
  { audit }: Config,
  parts: Parameters<typeof createAuditor>[0],
): Auditor | undefined {
  if (!audit.enabled) return undefined
  const ignored_methods = audit.ignore_req_list.split(',').map((name) => name.trim().toUpperCase())
  return createAuditor(parts, { map: readMap(audit.audit_map_file), ignored_methods })
}

function readMap(file: string) {
  const text = readFile(file)
  if (text === undefined && file === AUDIT_MAP_FILE) return BUILT_IN_AUDIT_MAP
  if (text === undefined) throw wrong(`${file}: there is no such file`)
  const map = parseAuditMap(text)
  if ('error' in map) throw wrong(`${file}: ${map.error}`)
  return map
}

function readFile(file: string): string | undefined {
  try {
    return readTextIfExists(file)
  } catch (error) {
    throw wrong(`${file}: cannot be read: ${errorText(error)}`)
  }
}

function wrong(what: string): ConfigError {
  const message = `[audit] audit_map_file: ${what}`
  const problem = { severity: 'error', where: 'audit.audit_map_file', line: null, message } as const
  return new ConfigError(null, [problem])
}
