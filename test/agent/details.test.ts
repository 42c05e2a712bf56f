import { expect, test } from 'vitest'
import { createInfo } from '../../src/agent/details.ts'
import { CommandError, type Processes } from '../../src/system/process.ts'

test('a version that could not be told in time is asked for again', async () => {
  const asked: string[] = []
  const processes: Pick<Processes, 'run'> = {
    run: async (argv) => {
      const [program = ''] = argv
      asked.push(program)
      if (asked.length === 1) throw new CommandError(argv, 'no answer in time')
      return { code: 0, stdout: `${program} version 2.6.12-1`, stderr: '' }
    },
  }
  const info = createInfo({ processes: processes as Processes, haproxy_cmd: 'haproxy' })
  expect((await info()).haproxy_version).toBe('')
  expect((await info()).haproxy_version).toBe('2.6.12-1')
  await info()
  expect(asked.filter((program) => program === 'haproxy')).toHaveLength(2)
})
