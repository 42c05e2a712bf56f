/**
 * Volumes that amphorae boot from, where the operator wants it: `octavia-lb-boot-<amphora>`. Nova
 * deletes them with the instance.
 * Source: octavia/volume/drivers/cinder_driver.py.
 */
import type { Clock } from '../../system/clock.ts'
import { DriverError } from '../error.ts'
import { record, records, text } from './json.ts'
import { DEPLOYMENT_KEY } from './mark.ts'
import type { Service } from './service.ts'

export interface VolumeOptions {
  /** GB. */
  readonly volume_size: number
  readonly volume_type: string | null
  readonly availability_zone: string | null
  /** Seconds. */
  readonly volume_create_retry_interval: number
  readonly volume_create_timeout: number
  readonly volume_create_max_retries: number
  /** Which octavia-lite makes it. */
  readonly deployment: string
}

export interface Volumes {
  /** The id of the amphora's volume with that image, once it can be booted from. */
  ensure(amphora_id: string, image_id: string, zone: string | null): Promise<string>
  /** For one that no instance took along. */
  delete(amphora_id: string): Promise<void>
  hasZone(name: string): Promise<boolean>
}

const nameOf = (amphora_id: string): string => `octavia-lb-boot-${amphora_id}`

type Deps = { readonly service: Service; readonly clock: Pick<Clock, 'now' | 'sleep'> }

export function createVolumes(deps: Deps, options: VolumeOptions): Volumes {
  const { service } = deps
  return {
    ensure: (amphora_id, image_id, zone) => ensure(deps, options, { amphora_id, image_id, zone }),
    delete: async (amphora_id) => {
      for (const { id } of await list(service, amphora_id)) await remove(service, amphora_id, id)
    },
    hasZone: async (name) => {
      const { body } = await service.request({
        operation: 'find-zone',
        subject: `volume zone ${name}`,
        method: 'GET',
        path: '/os-availability-zone',
      })
      return records(record(body)?.availabilityZoneInfo).some((zone) => zone.zoneName === name)
    },
  }
}

interface Wish {
  readonly amphora_id: string
  readonly image_id: string
  readonly zone: string | null
}

async function ensure({ service, clock }: Deps, options: VolumeOptions, wish: Wish) {
  const { amphora_id } = wish
  const until = clock.now() + options.volume_create_timeout * 1000
  for (let broken = 0; ; ) {
    const [volume] = await list(service, amphora_id)
    if (volume === undefined) await create(service, options, wish)
    else if (volume.status === 'available' || volume.status === 'in-use') return volume.id
    else if (volume.status.startsWith('error')) {
      await remove(service, amphora_id, volume.id)
      if (++broken >= options.volume_create_max_retries)
        throw failed(amphora_id, `Cinder made a volume in status ${volume.status}`)
    }
    if (clock.now() >= until) {
      if (volume !== undefined) await remove(service, amphora_id, volume.id)
      throw failed(amphora_id, `Cinder needs more than ${options.volume_create_timeout} s`)
    }
    await clock.sleep(options.volume_create_retry_interval * 1000)
  }
}

async function list(service: Service, amphora_id: string) {
  const query = new URLSearchParams({ name: nameOf(amphora_id) })
  const { body } = await service.request({
    operation: 'find-volume',
    subject: `amphora ${amphora_id}`,
    method: 'GET',
    path: `/volumes/detail?${query}`,
  })
  return records(record(body)?.volumes).map(({ id, status }) => ({
    id: text(id) ?? '',
    status: text(status) ?? '',
  }))
}

async function create(
  service: Service,
  { volume_size: size, volume_type, availability_zone, deployment }: VolumeOptions,
  { amphora_id, image_id: imageRef, zone }: Wish,
): Promise<void> {
  await service.request({
    operation: 'create-volume',
    subject: `amphora ${amphora_id}`,
    method: 'POST',
    path: '/volumes',
    body: {
      volume: {
        name: nameOf(amphora_id),
        size,
        volume_type,
        availability_zone: zone ?? availability_zone,
        imageRef,
        metadata: { octavia_amphora_id: amphora_id, [DEPLOYMENT_KEY]: deployment },
      },
    },
  })
}

async function remove(service: Service, amphora_id: string, id: string): Promise<void> {
  await service.request({
    operation: 'delete-volume',
    subject: `amphora ${amphora_id}`,
    method: 'DELETE',
    path: `/volumes/${id}`,
    // 400: an instance has it, and takes it along.
    expect: [400, 404],
  })
}

function failed(amphora_id: string, reason: string): DriverError {
  return new DriverError({
    operation: 'create-volume',
    subject: `amphora ${amphora_id}`,
    reason,
    hint: 'see its log, and [cinder] in the configuration',
    retryable: false,
  })
}
