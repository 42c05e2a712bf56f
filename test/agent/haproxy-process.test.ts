/** Reloads of a master that is played here: what is sent to it, and when. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { reload } from '../../src/agent/haproxy-process.ts'
import { systemClock } from '../../src/system/clock.ts'
import { createFixture, LB } from './fixture.ts'

/** Answers on the master's socket what `answer` says, with the number of reload signals so far. */
async function createMaster(answer: (signals: number) => string) {
  const { paths, folder, config, processes } = createFixture()
  mkdirSync(paths.folder(LB), { recursive: true })
  const signals = join(folder, 'signals')
  const ready = join(folder, 'ready')
  const script = `trap 'echo >>${signals}' USR2; : >${ready}; while :; do sleep 0.01; done`
  const argv = ['sh', '-c', script, paths.haproxyConfig(LB)]
  const master = Bun.spawn(argv, { stdio: ['ignore', 'ignore', 'ignore'] })
  onTestFinished(() => master.kill('SIGKILL'))
  while (!existsSync(ready)) await systemClock.sleep(5)
  writeFileSync(paths.masterPid(LB), `${master.pid}\n`)
  const count = () => (existsSync(signals) ? readFileSync(signals, 'utf8').length : 0)
  const server = Bun.listen({
    unix: paths.masterSocket(LB),
    socket: {
      data: (socket) => {
        socket.end(answer(count()))
      },
    },
  })
  onTestFinished(() => server.stop(true))
  const { haproxy_cmd, amphora_id } = config
  const deps = { processes, clock: systemClock, paths, haproxy_cmd, amphora_id }
  return { master, count, reload: () => reload(deps, LB, master.pid) }
}

const says = (reloads: number, failed = 0): string =>
  `#<PID> <type> <reloads>\n7 master ${reloads} [failed: ${failed}] 0d\n`

test('a master that does not answer yet would drop the signal: it is sent once it does', async () => {
  let asked = 0
  const seen: number[] = []
  const { count, reload } = await createMaster((signals) => {
    seen.push(signals)
    // It has been reloaded before.
    return ++asked <= 3 ? '' : says(4 + signals)
  })
  expect(await reload()).toBeUndefined()
  expect(count()).toBe(1)
  expect(seen.slice(0, 4)).toEqual([0, 0, 0, 0])
})

test('one that cannot run with the new configuration is told', async () => {
  const { reload } = await createMaster((signals) => says(signals, signals))
  expect(await reload()).toBe('it cannot run with the new one')
})

test('one that ends is told', async () => {
  const { master, reload } = await createMaster((signals) => {
    if (signals > 0) master.kill('SIGKILL')
    return says(0)
  })
  expect(await reload()).toBe('its master has ended')
})
