/** An amphora as a server of Nova: what is asked for, and what is read of it. Pure. */
import { createHash } from 'node:crypto'
import type { Instance, InstanceProfile, InstanceRequest } from '../compute.ts'
import { type JsonRecord, record, records, text } from './json.ts'
import { DEPLOYMENT_KEY } from './mark.ts'

export interface ServerOptions {
  readonly amp_flavor_id: string
  readonly amp_ssh_key_name: string
  readonly amp_timezone: string
  /** The management network first. */
  readonly amp_boot_network_list: readonly string[]
  readonly amp_secgroup_list: readonly string[]
  readonly availability_zone: string | null
  /** 0: `amphora-<id>`. */
  readonly random_amphora_name_length: number
  /** Path to content of what every server gets besides, for images that need it. */
  readonly more_files: Readonly<Record<string, string>>
  /** Which octavia-lite makes it. */
  readonly deployment: string
}

/** What was made for the server before it. */
export interface ServerParts {
  readonly image_id: string
  /** To boot from instead of a disk of the host. */
  readonly volume_id: string | null
  readonly group_id: string | null
}

/** By these a server is told from one of the same name. */
export const META = {
  amphora: 'octavia_amphora_id',
  load_balancer: 'octavia_load_balancer_id',
  network: 'octavia_management_network_id',
  image: 'octavia_image_id',
} as const

const NAME_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

export const NO_PROFILE: InstanceProfile = {
  compute_flavor: null,
  amp_image_tag: null,
  compute_zone: null,
  volume_zone: null,
  management_network: null,
}

/** A random name is drawn from the id, so that a repeated step draws it again. */
export function serverNameOf(amphora_id: string, length: number): string {
  if (length <= 0) return `amphora-${amphora_id}`
  const bytes = createHash('sha512').update(amphora_id).digest()
  const drawn = Array.from({ length: Math.min(length, bytes.length) - 1 }, (_, at) =>
    NAME_CHARACTERS.charAt((bytes[at] ?? 0) % NAME_CHARACTERS.length),
  )
  return `a${drawn.join('')}`
}

export function bootNetworks(
  options: ServerOptions,
  { management_network }: InstanceProfile,
): readonly string[] {
  return management_network === null ? options.amp_boot_network_list : [management_network]
}

/** The body of POST /servers. Secret: the files are. */
export function serverBody(
  options: ServerOptions,
  request: InstanceRequest,
  { image_id, volume_id, group_id }: ServerParts,
): object {
  const { amphora_id, load_balancer_id, files, profile = NO_PROFILE } = request
  const networks = bootNetworks(options, profile)
  const zone = profile.compute_zone ?? options.availability_zone
  return {
    server: {
      name: serverNameOf(amphora_id, options.random_amphora_name_length),
      flavorRef: profile.compute_flavor ?? options.amp_flavor_id,
      ...(volume_id === null ? { imageRef: image_id } : bootFrom(volume_id)),
      ...(networks.length === 0 ? {} : { networks: networks.map((uuid) => ({ uuid })) }),
      ...(options.amp_secgroup_list.length === 0
        ? {}
        : { security_groups: options.amp_secgroup_list.map((name) => ({ name })) }),
      ...(options.amp_ssh_key_name === '' ? {} : { key_name: options.amp_ssh_key_name }),
      ...(zone === null ? {} : { availability_zone: zone }),
      config_drive: true,
      personality: Object.entries({ ...files, ...options.more_files }).map(([path, content]) => ({
        path,
        contents: base64(content),
      })),
      user_data: base64(userData(options.amp_timezone)),
      metadata: {
        [META.amphora]: amphora_id,
        [META.load_balancer]: load_balancer_id,
        [META.image]: image_id,
        [DEPLOYMENT_KEY]: options.deployment,
        ...(networks[0] === undefined ? {} : { [META.network]: networks[0] }),
      },
    },
    ...(group_id === null ? {} : { 'os:scheduler_hints': { group: group_id } }),
  }
}

function bootFrom(uuid: string): object {
  const volume = { uuid, source_type: 'volume', destination_type: 'volume' }
  return {
    imageRef: '',
    block_device_mapping_v2: [{ ...volume, boot_index: 0, delete_on_termination: true }],
  }
}

/** For images with cloud-init; the time zone is the operator's, and quoted. */
function userData(timezone: string): string {
  const logs = 'runcmd:\n  - systemctl try-restart rsyslog\n'
  return `#cloud-config\ntimezone: ${JSON.stringify(timezone)}\n${logs}`
}

function base64(content: string): string {
  return Buffer.from(content, 'utf8').toString('base64')
}

/** A server that goes is as good as gone: nothing is plugged into it, and another may be made. */
export function isOf(server: JsonRecord, amphora_id: string): boolean {
  const owner = text(record(server.metadata)?.[META.amphora])
  const going = text(server['OS-EXT-STS:task_state']) === 'deleting'
  const gone = /DELETED$/.test(text(server.status) ?? '')
  return !going && !gone && (owner === undefined || owner === amphora_id)
}

/** `interfaces` is what Nova says is plugged into it. */
export function toInstance(
  server: JsonRecord,
  interfaces: readonly JsonRecord[],
  boot_networks: readonly string[],
): Instance {
  const metadata = record(server.metadata) ?? {}
  const network = text(metadata[META.network])
  const wanted = network === undefined ? boot_networks : [network]
  const management = interfaces.find(
    ({ net_id }) => wanted.length === 0 || wanted.includes(text(net_id) ?? ''),
  )
  const status = text(server.status) ?? ''
  return {
    compute_id: text(server.id) ?? '',
    status: status === 'ACTIVE' || status === 'ERROR' ? status : 'BUILD',
    lb_network_ip: text(records(management?.fixed_ips)[0]?.ip_address) ?? null,
    zone: text(server['OS-EXT-AZ:availability_zone']) || null,
    image_id: text(record(server.image)?.id) ?? text(metadata[META.image]) ?? null,
    compute_flavor: text(record(server.flavor)?.id) ?? null,
    fault: status === 'ERROR' ? faultOf(server) : null,
  }
}

function faultOf(server: JsonRecord): string {
  const message = (text(record(server.fault)?.message) ?? 'Nova gives no reason').replace(
    /\.+$/,
    '',
  )
  if (/Exhausted all hosts/i.test(message)) return `${message} (the log of nova-compute says why)`
  if (!/No valid host/i.test(message)) return message
  return `${message} (no compute host has room for the flavor, in the zone and apart from its pair)`
}

const CONSOLE_LINES = 8
const CONSOLE_CHARACTERS = 600
const TELLS_SECRETS = /password|passwd|secret|token|private|BEGIN |ssh-/i

/** The end of a console: lines that may tell a secret are left out, and what controls terminals. */
export function consoleEnd(output: string): string | undefined {
  const lines = output
    .replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .split(/[\r\n]+/)
    .map((line) => line.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trim())
    .filter((line) => line !== '' && !TELLS_SECRETS.test(line))
  const end = lines.slice(-CONSOLE_LINES).join(' | ').slice(-CONSOLE_CHARACTERS)
  return end === '' ? undefined : end
}
