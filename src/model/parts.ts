/** Fields which every provisioned resource has, written once. */
import { boolean, description, field, name, oneOf, text, time, uuid } from './field.ts'
import { list } from './nested-field.ts'
import { OPERATING_STATUSES, PROVISIONING_STATUSES } from './status.ts'

export const TAGS_MAX = 100

export const id = {
  id: field(uuid, { help: 'The ID of the resource.', writable: 'never' }),
} as const

export const named = {
  name: field(name, { help: 'Human-readable name.', fallback: '' }),
} as const

export const described = {
  description: field(description, { help: 'Human-readable description.', fallback: '' }),
} as const

/** Absent is up; an explicit null is down (upstream: BaseType.to_dict). */
export const admin = {
  admin_state_up: field(boolean, {
    help: 'Whether the resource is to work.',
    fallback: true,
    whenNull: false,
  }),
} as const

const tagList = list(text({ max: 255 }), TAGS_MAX)

/** Upstream keeps them as rows, which come in their order and are there once. */
const tags: typeof tagList = {
  ...tagList,
  parse: (value) => {
    const parsed = tagList.parse(value)
    return parsed.ok ? { ...parsed, value: [...new Set(parsed.value)].toSorted() } : parsed
  },
}

export const tagged = {
  tags: field(tags, { help: 'Simple string tags.', fallback: [] }),
} as const

/**
 * Everywhere but on a load balancer the value sent is ignored: the load balancer's project counts.
 */
export const owned = {
  project_id: field(text({ max: 36 }), {
    help: 'The project which owns the resource.',
    writable: 'create',
    nullable: true,
  }),
} as const

export const statuses = {
  provisioning_status: field(oneOf(PROVISIONING_STATUSES), {
    help: 'Where the last change of the resource stands.',
    writable: 'never',
  }),
  operating_status: field(oneOf(OPERATING_STATUSES), {
    help: 'The health which the amphorae report.',
    writable: 'never',
  }),
} as const

export const times = {
  created_at: field(time, { help: 'UTC time of creation.', writable: 'never' }),
  updated_at: field(time, {
    help: 'UTC time of the last update, null before the first.',
    writable: 'never',
    nullable: true,
  }),
} as const
