/** `octavia-lite policy`: the rules as they count, and whom they let through. */
import { ConfigError, loadConfig } from '../config/load.ts'
import { nearest } from '../config/nearest.ts'
import { createPolicy, type Policy } from '../policy/check.ts'
import { PolicyError, type Subject } from '../policy/compile.ts'
import { PREFIX, RULES, type RuleName } from '../policy/rules.ts'
import { type ParsedArguments, parseArguments } from './arguments.ts'
import { configFile, DEFAULT_CONFIG_FILE } from './config.ts'
import { type Command, CommandFailure, EXIT, type Exit, type Io, table } from './io.ts'
import { loadPolicy, readPolicyFile } from './serve/policy-files.ts'

const FILES = {
  'config-file': { type: 'string' },
  'policy-file': { type: 'string' },
  json: { type: 'boolean' },
} as const
const CALLER = {
  roles: { type: 'string' },
  project: { type: 'string' },
  user: { type: 'string' },
  domain: { type: 'string' },
  'target-project': { type: 'string' },
  'is-admin': { type: 'boolean' },
  system: { type: 'boolean' },
} as const
const RULES_MAX = 200

export const command: Command = {
  summary: 'print the rules of who may do what, or try them',
  help: `usage: octavia-lite policy list [--json]
       octavia-lite policy check [--roles NAME,...] [--project ID] [--target-project ID]
                                 [--user ID] [--domain ID] [--system] [--is-admin]
                                 [--json] [RULE...]
       octavia-lite policy check --policy-file FILE

list prints every rule as it counts, and the line of the policy file that changed it.
check asks rules (all of the API, if none is named) about a caller with these roles in
this project, and a target of --target-project (default: the caller's own). It exits 0 when
all allow it, else 1. Without a caller and rules it only tells whether the rules can be used.

  --config-file FILE     the configuration, default ${DEFAULT_CONFIG_FILE}
  --policy-file FILE     these overrides (YAML or TOML) instead of the configuration's
  --roles NAME,...       of the caller, as in his token
  --project ID           of his token
  --target-project ID    whose the load balancer is
  --user ID, --domain ID what rules may ask for besides
  --system               the token is one of the whole system
  --is-admin             the caller is an administrator whatever the roles, as with noauth
  --json                 print JSON
`,
  async run(args, io) {
    const [verb, ...rest] = args
    if (verb === 'list') return list(parseArguments(rest, FILES), io)
    if (verb === 'check') return check(parseArguments(rest, { ...FILES, ...CALLER }, RULES_MAX), io)
    throw new CommandFailure('say policy list or policy check; see --help', EXIT.usage)
  },
}

function openPolicy(options: ParsedArguments): Policy {
  const file = configFile(options.text('config-file'))
  const policyFile = options.text('policy-file')
  try {
    const config = loadConfig(file)
    if (policyFile === undefined) return loadPolicy(config, file)
    return createPolicy({ ...config.oslo_policy, overrides: readPolicyFile(policyFile) })
  } catch (error) {
    if (!(error instanceof PolicyError || error instanceof ConfigError)) throw error
    throw new CommandFailure(error.message, EXIT.failure, error)
  }
}

function list(options: ParsedArguments, io: Io): Exit {
  const { effective } = openPolicy(options)
  if (options.flag('json')) io.out(`${JSON.stringify({ rules: effective }, null, 2)}\n`)
  else
    io.out(
      table([
        ['RULE', 'SET BY', 'CHECK'],
        ...effective.map(({ name, where, text }) => [name, where ?? 'default', text]),
      ]),
    )
  return EXIT.ok
}

function check(options: ParsedArguments, io: Io): Exit {
  const policy = openPolicy(options)
  const asksNobody = Object.keys(CALLER).every(
    (name) => options.text(name) === undefined && !options.flag(name),
  )
  if (asksNobody && options.positionals.length === 0) {
    const changed = policy.effective.filter(({ where }) => where !== null).length
    io.out(`the rules can be used; ${changed} of ${policy.effective.length} are set by files\n`)
    return EXIT.ok
  }
  const caller = callerOf(options)
  const target = options.text('target-project') ?? caller.project_id
  const names = options.positionals.length > 0 ? options.positionals : Object.keys(RULES)
  const results = names.map(ruleName).map((rule) => ({
    rule: `${PREFIX}${rule}`,
    allowed: policy.isAllowed(rule, caller, target),
  }))
  if (options.flag('json')) io.out(`${JSON.stringify({ results }, null, 2)}\n`)
  else io.out(table(results.map(({ rule, allowed }) => [rule, allowed ? 'allowed' : 'refused'])))
  return results.every(({ allowed }) => allowed) ? EXIT.ok : EXIT.failure
}

function callerOf(options: ParsedArguments): Subject {
  const roles = options.text('roles') ?? ''
  return {
    user_id: options.text('user') ?? null,
    project_id: options.text('project') ?? null,
    roles: roles.split(',').flatMap((role) => role.trim() || []),
    is_admin: options.flag('is-admin'),
    system_scope: options.flag('system') ? 'all' : null,
    domain_id: options.text('domain') ?? null,
  }
}

/** With or without the prefix. */
function ruleName(text: string): RuleName {
  const name = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text
  if (Object.hasOwn(RULES, name)) return name as RuleName
  const near = nearest(name, Object.keys(RULES))
  const hint = near === undefined ? 'see octavia-lite policy list' : `did you mean ${near}?`
  throw new CommandFailure(`there is no rule ${text}; ${hint}`, EXIT.usage)
}
