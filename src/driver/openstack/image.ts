/** Images of amphorae: the newest with a tag, as upstream finds it. */
import type { Log } from '../../system/log.ts'
import { DriverError } from '../error.ts'
import { record, records, text } from './json.ts'
import type { Service } from './service.ts'

export interface ImageWish {
  readonly tag: string
  /** Only of this project; '' takes whoever's. */
  readonly owner: string
}

export interface Images {
  /** The id of the newest active image. Throws DriverError when there is none. */
  find(wish: ImageWish): Promise<string>
  has(wish: ImageWish): Promise<boolean>
}

export function createImages(service: Service, log: Log): Images {
  const newest = async ({ tag, owner }: ImageWish): Promise<readonly string[]> => {
    const query = new URLSearchParams({
      tag,
      status: 'active',
      sort: 'created_at:desc',
      limit: '2',
      ...(owner === '' ? {} : { owner }),
    })
    const { body } = await service.request({
      operation: 'find-image',
      subject: `tag ${tag}`,
      method: 'GET',
      path: `/images?${query}`,
    })
    return records(record(body)?.images).flatMap(({ id }) => text(id) ?? [])
  }
  return {
    has: async (wish) => (await newest(wish)).length > 0,
    find: async (wish) => {
      const [id, other] = await newest(wish)
      if (id === undefined)
        throw new DriverError({
          operation: 'find-image',
          subject: `tag ${wish.tag}`,
          reason: `Glance has no active image with this tag${wish.owner === '' ? '' : ` of project ${wish.owner}`}`,
          hint: 'openstack image set --tag, or amp_image_tag and amp_image_owner_id in [controller_worker]',
          retryable: false,
        })
      if (other !== undefined)
        log.debug('several images have the tag; the newest is taken', { tag: wish.tag, image: id })
      return id
    },
  }
}
