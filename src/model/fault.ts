/**
 * Every error that a caller of the API can see, with upstream's code and text
 * (octavia/common/exceptions.py). Thrown anywhere below the API; turned into HTTP in api/faults.ts
 * only.
 */
export class Fault extends Error {
  override readonly name = 'Fault'
  /** The HTTP status, 400 to 599. */
  readonly code: number
  constructor(code: number, faultstring: string) {
    super(faultstring)
    this.code = code
  }
}

export const fault = {
  invalidField: (field: string, value: unknown, why: string) =>
    new Fault(400, `Invalid input for field/attribute ${field}. Value: '${shown(value)}'. ${why}`),
  missingField: (field: string) =>
    new Fault(
      400,
      `Invalid input for field/attribute ${field}. Value: 'None'. Mandatory field missing.`,
    ),
  unknownAttributes: (path: string, names: readonly string[]) =>
    new Fault(
      400,
      `Unknown attribute${names.length > 1 ? 's' : ''} for argument ${path}: ${names.map(shown).join(', ')}`,
    ),
  unknownArgument: (name: string) => new Fault(400, `Unknown argument: "${shown(name)}"`),
  missingArgument: (name: string) => new Fault(400, `Missing argument: "${name}"`),
  notJson: () => new Fault(400, 'Request is not in valid JSON format'),
  unknownMimetype: (type: string) => new Fault(415, `Unknown mimetype: ${shown(type)}`),
  tooLarge: () => new Fault(413, 'Request is too large.'),
  validation: (detail: string) => new Fault(400, `Validation failure: ${detail}`),
  invalidOption: (value: unknown, option: string) =>
    new Fault(400, `${shown(value)} is not a valid option for ${option}`),
  disabledOption: (option: string, value: unknown) =>
    new Fault(400, `The selected ${option} is not allowed in this deployment: ${shown(value)}`),
  referenceNotFound: (resource: string, id: string) =>
    new Fault(400, `${resource} ${id} not found.`),
  invalidFilter: () => new Fault(400, 'One or more arguments are either duplicate or invalid'),
  invalidSortKey: (key: string) =>
    new Fault(400, `Supplied sort key '${shown(key)}' is not valid.`),
  invalidSortDirection: (key: string) =>
    new Fault(400, `Supplied sort direction '${shown(key)}' is not valid.`),
  invalidMarker: (marker: string) =>
    new Fault(400, `Supplied pagination marker '${shown(marker)}' is not valid.`),
  invalidLimit: (limit: string) =>
    new Fault(400, `Supplied pagination limit '${shown(limit)}' is not valid.`),
  protocolMismatch: (listener: string, pool: string) =>
    new Fault(
      400,
      `Validation failure: The pool protocol '${pool}' is invalid while the listener protocol is '${listener}'.`,
    ),
  noChildren: (protocol: string) =>
    new Fault(400, `Protocol ${protocol} listeners cannot have child objects.`),
  certificateUnreadable: (refs: readonly string[]) =>
    new Fault(400, `Could not retrieve certificate: ${shown(refs)}`),
  l7policyArguments: (why: string) => new Fault(400, `Invalid L7 Policy arguments: ${why}`),
  l7rule: (why: string) => new Fault(400, `Error parsing L7Rule: ${shown(why)}`),
  tooManyRules: (id: string) => new Fault(409, `Too many rules on L7 policy ${id}`),
  poolInUse: (id: string, l7policy_id: string) =>
    new Fault(409, `Pool ${id} is in use by L7 policy ${l7policy_id}`),
  providerNotEnabled: (provider: string) =>
    new Fault(400, `Provider '${shown(provider)}' is not enabled.`),
  providerNotFound: (provider: string) =>
    new Fault(501, `Provider '${shown(provider)}' was not found.`),
  providerUnsupported: (provider: string, what: string) =>
    new Fault(501, `Provider '${provider}' does not support a requested option: ${what}`),
  providerError: (provider: string, what: string) =>
    new Fault(500, `Provider '${provider}' reports error: ${what}`),
  providerNotSupporting: (provider: string, what: string) =>
    new Fault(501, `Provider '${provider}' does not support a requested action: ${what}`),
  flavorMismatch: (flavor_id: string, provider: string) =>
    new Fault(400, `Flavor '${flavor_id}' is not compatible with provider '${shown(provider)}'`),
  alreadyExists: (what: string, name: string) =>
    new Fault(409, `A ${what} of ${shown(name)} already exists.`),
  inUse: (what: string, id: string) =>
    new Fault(409, `${what} ${shown(id)} is in use and cannot be modified.`),
  noProject: () =>
    new Fault(
      400,
      'Validation failure: Missing project ID in request where one is required. ' +
        'An administrator should check the keystone settings in the Octavia configuration.',
    ),
  vipMissing: (names: readonly string[]) =>
    new Fault(400, `Validation failure: VIP must contain one of: ${names.join(', ')}.`),
  memberSriov: () => new Fault(400, 'The load balancer flavor does not allow SR-IOV member ports.'),
  notAuthorized: () => new Fault(403, 'Policy does not allow this request to be performed.'),
  quotaMet: (resource: string) => new Fault(403, `Quota has been met for resources: ${resource}`),
  notFound: (title: string, id: string) => new Fault(404, `${title} ${shown(id)} not found.`),
  immutable: (title: string, id: string) =>
    new Fault(409, `${title} ${id} is immutable and cannot be updated.`),
  invalidState: (status: string, id: string) =>
    new Fault(409, `Invalid state ${status} of loadbalancer resource ${id}`),
  duplicateListener: (protocol: string, port: number) =>
    new Fault(
      409,
      `Another Listener on this Load Balancer is already using protocol ${protocol} and protocol_port ${port}`,
    ),
  duplicateMember: (address: string, port: number) =>
    new Fault(
      409,
      `Another member on this pool is already using ip ${address} on protocol_port ${port}`,
    ),
  duplicateHealthMonitor: () => new Fault(409, 'This pool already has a health monitor'),
  duplicateDefaultPool: () => new Fault(409, 'This listener already has a default pool'),
  hasChildren: (id: string) =>
    new Fault(400, `Validation failure: Cannot delete Load Balancer ${id} - it has children`),
  vipAddressInUse: (address: string, network: string) =>
    new Fault(409, `The VIP IP address is already in use: ${address} on network ${network}.`),
  unavailable: (what: string) => new Fault(503, what),
} as const

/** Outside input is quoted in faults; a megabyte of it, or a control character, is not. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : pythonish(value)
  const clean = text
    .slice(0, 300)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f]/g, '?')
  return text.length > 300 ? `${clean}...` : clean
}

/** Upstream prints Python values. Depth and width are bounded by what is shown of it anyway. */
export function pythonish(value: unknown, depth = 0): string {
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'string') return `'${value.slice(0, 300)}'`
  if (typeof value !== 'object') return String(value)
  if (depth > 3) return '...'
  if (Array.isArray(value))
    return `[${value
      .slice(0, 50)
      .map((item) => pythonish(item, depth + 1))
      .join(', ')}]`
  const entries = Object.entries(value).slice(0, 50)
  return `{${entries
    .map(([key, item]) => `'${key.slice(0, 300)}': ${pythonish(item, depth + 1)}`)
    .join(', ')}}`
}
