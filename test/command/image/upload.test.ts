/** `octavia-lite image upload` with a Keystone and a Glance on loopback. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { command } from '../../../src/command/image.ts'
import { createFakeKeystone, type FakeKeystone, SERVICE_PASSWORD } from '../../fake/keystone.ts'
import { createFakeService, type FakeRequest, type FakeService, json } from '../../fake/service.ts'

const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-upload-'))
const file = join(folder, 'amphora.qcow2')
/** A head is all that is looked at. */
const content = Buffer.concat([
  Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'),
  Buffer.alloc(3 << 20, 1),
])

interface Image {
  readonly id: string
  readonly values: Readonly<Record<string, unknown>>
  status: string
  sha256?: string
}

let keystone: FakeKeystone
let glance: FakeService
let images: Image[]

beforeAll(() => {
  writeFileSync(file, content)
  writeFileSync(join(folder, 'raw.img'), Buffer.alloc(1024))
})
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  images = []
  keystone = createFakeKeystone({ now: () => Date.now() })
  glance = createFakeService({ keystone, type: 'image', name: 'glance', version: '/v2', handle })
})
afterEach(async () => {
  await glance.stop()
  await keystone.stop()
})

function handle({ method, path, query, body }: FakeRequest): object | Response | undefined {
  const [, , id, part] = path.split('/')
  if (method === 'POST') {
    const image = { id: `image-${images.length}`, values: body, status: 'queued' }
    images.push(image)
    return json(201, { ...body, id: image.id, created_at: '2026-01-01T00:00:00Z' })
  }
  if (method === 'DELETE') {
    images = images.filter((each) => each.id !== id)
    return json(204, undefined)
  }
  const image = images.find((each) => each.id === id)
  if (method === 'PUT' && part === 'file' && image !== undefined) {
    image.status = 'active'
    image.sha256 = createHash('sha256').update(body, 'utf8').digest('hex')
    return json(204, undefined)
  }
  const tagged = images.filter(
    ({ status, values }) =>
      status === 'active' && (values.tags as string[]).includes(query.get('tag') ?? ''),
  )
  return { images: tagged.toReversed().map((each) => ({ ...each.values, id: each.id })) }
}

async function upload(...args: string[]) {
  let [out, err] = ['', '']
  const env = {
    OS_AUTH_URL: keystone.url,
    OS_USERNAME: 'octavia',
    OS_PASSWORD: SERVICE_PASSWORD,
    OS_PROJECT_NAME: 'service',
    HOME: folder,
  }
  const io = {
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    terminal: false,
    env,
  }
  const failed = await command.run(['upload', ...args], io).then(
    () => undefined,
    (error: Error) => error.message.replaceAll(folder, ''),
  )
  return { out, err, failed }
}

test('the image is there with its tag, private, and complete', async () => {
  const { out, err, failed } = await upload(file)
  expect([failed, out]).toEqual([undefined, 'image image-0: amphora, 3.1 MB, tag amphora\n'])
  expect(err).toMatch(/uploading {2}\d\.\d of 3\.1 MB {2}100 %\n$/)
  expect(images).toMatchObject([
    {
      status: 'active',
      values: {
        tags: ['amphora'],
        visibility: 'private',
        disk_format: 'qcow2',
        container_format: 'bare',
      },
      sha256: createHash('sha256').update(content.toString('utf8'), 'utf8').digest('hex'),
    },
  ])
})

test('the second says which one it replaces', async () => {
  await upload(file, '--name', 'old', '--tag', 't')
  const { out } = await upload(file, '--name', 'new', '--tag', 't')
  expect(out).toContain('new amphorae are made from it instead of image-0 (old,')
  const third = JSON.parse((await upload(file, '--tag', 't', '--json')).out)
  expect(third).toMatchObject({ id: 'image-2', replaced: { id: 'image-1', name: 'new' } })
})

test('what is no qcow2 is not sent', async () => {
  const { failed } = await upload(join(folder, 'raw.img'))
  expect(failed).toBe(
    "/raw.img is no qcow2; 'qemu-img convert -O qcow2' makes one of other formats",
  )
  expect((await upload(join(folder, 'missing'))).failed).toContain('octavia-lite image build')
  expect(glance.requests).toEqual([])
})

test('nothing is left of an upload that fails, and the reason is told', async () => {
  glance.fail({
    on: /^PUT/,
    status: 413,
    body: { message: 'The size of data exceeds the quota' },
  })
  const { failed } = await upload(file)
  expect(failed).toContain('a quota of Glance is used up')
  expect(images).toEqual([])
})

test('a wrong password is told as what it is', async () => {
  keystone.failWith(401)
  expect((await upload(file)).failed).toContain('see user, password, project and their domains')
})
