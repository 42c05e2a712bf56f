/** What amphorae are made of: a flavor, the operators' key pair, and the image. */
import { text } from '../../driver/openstack/json.ts'
import { present } from '../../system/assert.ts'
import { type Cloud, idOf, madeId } from './cloud.ts'
import type { Ids, Thing } from './thing.ts'

export interface ComputePlan {
  readonly flavor: string
  readonly keypair: string
  /** `ssh-ed25519 AAAA...`; made when it is asked for. */
  readonly publicKey: () => string
  readonly image: { readonly tag: string; readonly name: string; readonly file: string | null }
}

const FLAVOR = { vcpus: 1, ram: 1024, disk: 2 }
/** Which images are ours to remove when their upload was cut short. */
const MARK = 'octavia_lite_setup'

export function computeThings(cloud: Cloud, plan: ComputePlan): readonly Thing[] {
  return [flavor(cloud, plan), access(cloud, plan), keypair(cloud, plan), image(cloud, plan)]
}

function flavor({ nova }: Cloud, { flavor: name }: ComputePlan): Thing {
  const title = `flavor ${name}`
  return {
    key: 'flavor',
    title,
    find: async () => {
      const rows = await nova.list('/flavors?is_public=None', 'flavors', title)
      return idOf(rows.find((row) => row.name === name))
    },
    make: async () => {
      const values = { name, ...FLAVOR, 'os-flavor-access:is_public': false }
      return madeId(await nova.create('/flavors', 'flavor', values, title), title)
    },
    remove: (id) => nova.remove(`/flavors/${id}`, title),
  }
}

/** The flavor is for amphorae alone, so their project must be let in. */
function access({ nova }: Cloud, { flavor: name }: ComputePlan): Thing {
  const title = `access to flavor ${name}`
  const change = async (ids: Ids, action: string): Promise<void> => {
    const body = { [action]: { tenant: ids.get('project') } }
    await nova.send('POST', `/flavors/${ids.get('flavor')}/action`, body, title)
  }
  return {
    key: 'flavor-access',
    title,
    find: async (ids) => {
      const [id, project] = [ids.find('flavor'), ids.find('project')]
      if (id === undefined || project === undefined) return undefined
      const row = await nova.get(`/flavors/${id}`, title)
      const shown = row?.flavor as Readonly<Record<string, unknown>> | undefined
      if (shown?.['os-flavor-access:is_public'] === true) return id
      const rows = await nova.list(`/flavors/${id}/os-flavor-access`, 'flavor_access', title)
      return rows.some((each) => each.tenant_id === project) ? id : undefined
    },
    make: async (ids) => {
      await change(ids, 'addTenantAccess')
      return ids.get('flavor')
    },
    remove: async (_id, ids) => {
      if (ids.find('flavor') !== undefined) await change(ids, 'removeTenantAccess')
    },
  }
}

function keypair({ nova }: Cloud, { keypair: name, publicKey }: ComputePlan): Thing {
  const title = `key pair ${name}`
  const path = (ids: Ids): string => {
    const query = new URLSearchParams({ user_id: ids.get('user') })
    return `/os-keypairs/${encodeURIComponent(name)}?${query}`
  }
  return {
    key: 'keypair',
    title,
    find: async (ids) => {
      if (ids.find('user') === undefined) return undefined
      return (await nova.get(path(ids), title)) === undefined ? undefined : name
    },
    make: async (ids) => {
      const values = { name, type: 'ssh', public_key: publicKey(), user_id: ids.get('user') }
      await nova.create('/os-keypairs', 'keypair', values, title)
      return name
    },
    remove: async (_id, ids) => {
      if (ids.find('user') !== undefined) await nova.remove(path(ids), title)
    },
  }
}

function image({ glance }: Cloud, { image: { tag, name, file } }: ComputePlan): Thing {
  const title = `image ${name} with tag ${tag}`
  const listed = async (query: Readonly<Record<string, string>>) =>
    await glance.list(`/images?${new URLSearchParams({ tag, ...query })}`, 'images', title)
  return {
    key: 'image',
    title,
    ...(file === null
      ? {
          obstacle: `there is no image with tag ${tag}: make one by 'octavia-lite image build' and pass it by --image FILE`,
        }
      : {}),
    find: async () => idOf((await listed({ status: 'active' }))[0]),
    make: async (ids) => {
      const path = present(file, 'the file of an image that is made')
      for (const row of await listed({ [MARK]: 'yes' }))
        if (text(row.status) !== 'active') await glance.remove(`/images/${row.id}`, title)
      const values = {
        name,
        tags: [tag],
        owner: ids.get('project'),
        visibility: 'private',
        disk_format: 'qcow2',
        container_format: 'bare',
        hw_rng_model: 'virtio',
        [MARK]: 'yes',
      }
      const id = madeId(await glance.create('/images', '', values, title), title)
      await glance.upload(`/images/${id}/file`, path, title)
      return id
    },
    remove: (id) => glance.remove(`/images/${id}`, title),
  }
}
