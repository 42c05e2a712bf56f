import { expect, test } from 'vitest'
import { systemLauncher } from '../../src/system/detached.ts'
import { duringTransaction } from '../../src/system/outside.ts'
import { CommandError } from '../../src/system/process.ts'

const ENVIRONMENT = { PATH: '/usr/bin:/bin' }
const shell = (script: string) => systemLauncher.launch(['/bin/sh', '-c', script], ENVIRONMENT)

test('lines go both ways, and the environment is only what was given', async () => {
  const launch = shell(
    'echo ready; read -r word; echo "$word"; env | sort | cut -d= -f1 | tr "\\n" " "; echo',
  )
  expect(await launch.readLine(5000)).toBe('ready')
  launch.writeLine('go')
  expect(await launch.readLine(5000)).toBe('go')
  expect((await launch.readLine(5000))?.trim().split(' ')).toEqual(['PATH', 'PWD'])
  launch.release()
})

test('a program that ended, or says nothing, gives no line', async () => {
  const ended = shell('exit 3')
  expect(await ended.readLine(5000)).toBeUndefined()
  ended.writeLine('anybody there?')
  ended.release()
  const silent = shell('read -r word')
  expect(await silent.readLine(20)).toBeUndefined()
  silent.release()
})

test('one that is released while it waits sees the end of its input', async () => {
  const launch = shell('trap "" PIPE; echo $$; read -r word || exit 0; sleep 600')
  const pid = Number(await launch.readLine(5000))
  launch.release()
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
})

test('a program that does not exist cannot be started', () => {
  expect(() => systemLauncher.launch(['/nowhere/program'], ENVIRONMENT)).toThrow(CommandError)
})

test('nothing is started inside a transaction', async () => {
  await duringTransaction(async () => {
    expect(() => shell('true')).toThrow(/inside a transaction/)
  })
})
