import { expect, test } from 'vitest'
import { createInfo } from '../../src/agent/details.ts'
import { CommandError, type Processes } from '../../src/system/process.ts'

/** Programs that tell their version, but for what `fail` throws. */
function open(fail: (program: string, argv: readonly string[]) => void) {
  const asked: string[] = []
  const processes: Processes = {
    run: async (argv) => {
      const [program = ''] = argv
      asked.push(program)
      fail(program, argv)
      return { code: 0, stdout: `${program} version 2.6.12-1`, stderr: '' }
    },
  }
  return { asked, info: createInfo({ processes, haproxy_cmd: 'haproxy' }) }
}

test.each(['haproxy', 'keepalived', 'ipvsadm'])(
  'what %s could not tell in time is asked for again, and not taken for missing',
  async (slow) => {
    let late = true
    const { asked, info } = open((program, argv) => {
      if (!late || program !== slow) return
      late = false
      throw new CommandError(argv, 'timed out', { code: 137, stdout: '', stderr: '' })
    })
    await expect(info()).rejects.toMatchObject({ answer: { status: 503 } })
    await expect(info()).resolves.toMatchObject({
      ...{ haproxy_version: '2.6.12-1', keepalived_version: '2.6.12-1' },
      ipvsadm_version: '2.6.12-1',
    })
    await info()
    expect(asked.filter((program) => program === slow)).toHaveLength(2)
  },
)

test('a program that is not installed has no version', async () => {
  const { asked, info } = open((program, argv) => {
    if (program === 'keepalived') throw new CommandError(argv, 'cannot be started')
  })
  expect((await info()).keepalived_version).toBe('')
  await info()
  expect(asked).toHaveLength(3)
})
