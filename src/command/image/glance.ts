/** Images in Glance, as far as putting one there needs it. */
import { createReadStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { Service } from '../../driver/openstack/service.ts'
import { isObject } from '../../model/field.ts'
import { CommandFailure } from '../io.ts'

export interface ImageRow {
  readonly id: string
  readonly name: string
  readonly created_at: string
}

export interface NewImage {
  readonly name: string
  readonly tag: string
  /** Project; null is that of the login. */
  readonly owner: string | null
  /** A qcow2. */
  readonly file: string
}

const PART_BYTES = 1 << 20

/** Active images with the tag, the newest first: that is which amphorae are booted from. */
export async function listTagged(
  glance: Service,
  tag: string,
  owner: string,
): Promise<readonly ImageRow[]> {
  const wanted = { tag, owner, status: 'active', sort: 'created_at:desc' }
  const { body } = await glance.request({
    operation: 'list images',
    subject: `with tag ${tag}`,
    method: 'GET',
    path: `/images?${new URLSearchParams(wanted)}`,
  })
  return isObject(body) && Array.isArray(body.images) ? body.images.map(imageRow) : []
}

/** Nothing is left when it fails. `progress` is told how many bytes are sent. */
export async function putImage(
  glance: Service,
  { name, tag, owner, file }: NewImage,
  progress: (sent: number) => void,
): Promise<ImageRow> {
  const subject = `image ${name}`
  const asked = { operation: 'upload', subject }
  const values = {
    name,
    tags: [tag],
    visibility: 'private',
    disk_format: 'qcow2',
    container_format: 'bare',
    // The guest has enough randomness for its keys from its first second.
    hw_rng_model: 'virtio',
    ...(owner === null ? {} : { owner }),
  }
  const made = await glance.request({ ...asked, method: 'POST', path: '/images', body: values })
  const row = imageRow(made.body)
  const path = `/images/${row.id}`
  const { size } = statSync(file)
  const data = { size, open: () => readFile(file, progress) }
  const content = { type: 'application/octet-stream', data }
  try {
    await glance.request({ ...asked, method: 'PUT', path: `${path}/file`, content })
    return row
  } catch (error) {
    try {
      await glance.request({ ...asked, method: 'DELETE', path, expect: [404] })
    } catch {
      throw new CommandFailure(
        `the upload failed (${(error as Error).message}) and image ${row.id} is left: remove it`,
      )
    }
    throw error
  }
}

function readFile(path: string, progress: (sent: number) => void): ReadableStream<Uint8Array> {
  let sent = 0
  async function* parts() {
    for await (const part of createReadStream(path, { highWaterMark: PART_BYTES })) {
      yield part as Uint8Array
      sent += (part as Uint8Array).length
      progress(sent)
    }
  }
  return Readable.toWeb(Readable.from(parts())) as unknown as ReadableStream<Uint8Array>
}

function imageRow(row: unknown): ImageRow {
  const { id, name, created_at } = isObject(row) ? row : {}
  if (typeof id !== 'string') throw new CommandFailure('Glance answered without the id of an image')
  return { id, name: String(name ?? ''), created_at: String(created_at ?? '') }
}
