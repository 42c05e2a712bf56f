import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startDriverAgent } from '../../src/command/serve/driver-agent.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openStore } from '../../src/store/store.ts'
import { silentLog } from '../../src/system/log.ts'
import { ask, temporaryFolder } from '../provider/agent/client.ts'

const NOOP = '[api_settings]\nenabled_provider_drivers = { amphora = "a", noop_driver = "n" }\n'

async function start(folder: string, text: string) {
  const file = join(folder, 'octavia-lite.toml')
  writeFileSync(file, `[DEFAULT]\ndata_dir = "${folder}"\n${text}`)
  const config = loadConfig(file, { root: true, home: folder, hostname: 'lab' })
  return await startDriverAgent({ store: openStore(':memory:'), log: silentLog }, config)
}

const question = { object: 'pools', id: 'x' }

test('no socket without a provider that reports', async () => {
  const folder = temporaryFolder()
  const stop = await start(folder, '')
  await expect(ask(join(folder, 'get.sock'), question)).rejects.toThrow()
  await stop()
})

test.each([
  ['where one is enabled', () => NOOP, 'get.sock'],
  [
    'where another socket is named',
    (at: string) => `[driver_agent]\nstatus_socket_path = "${at}/s"\n`,
    'get.sock',
  ],
  [
    'where it is named',
    (at: string) => `${NOOP}[driver_agent]\nget_socket_path = "${at}/g"\n`,
    'g',
  ],
])('the sockets are there %s', async (_, text, name) => {
  const folder = temporaryFolder()
  const stop = await start(folder, text(folder))
  expect(await ask(join(folder, name), question)).toEqual({})
  await stop()
  await expect(ask(join(folder, name), question)).rejects.toThrow()
})

test('what is in the way is told, and the sockets before it are closed again', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'get.sock'), '')
  await expect(start(folder, NOOP)).rejects.toThrow(
    'get.sock cannot be opened; set [driver_agent] get_socket_path: there is a file',
  )
  await expect(ask(join(folder, 'status.sock'), {})).rejects.toThrow()
})
