/** Rows of the matrix: connections are logged, and the operator's own lines are in force. */
import { expect } from 'vitest'
import { until } from '../harness.ts'
import { ask, converse } from './client.ts'
import { members } from './place.ts'
import { poolOf, webListener } from './protocols.ts'
import { type MatrixRow, only, type Run } from './row.ts'

/** What [haproxy_amphora] haproxy_template names in the lab. */
export const TEMPLATE = `# Every answer says who has given it.
frontend
    http-response set-header X-Operator lab
`

/** The line of a listener, once it has come. */
async function lineOf(run: Run, wanted: RegExp): Promise<string> {
  const find = () =>
    run.logged.find((line) => line.includes(only(run).id) && wanted.test(line)) ?? ''
  await until(`a log line with ${wanted}`, () => find() !== '', 20_000)
  return find()
}

export const logRows: readonly MatrixRow[] = [
  {
    features: [272],
    shows: 'a request is logged to the log server, with project and load balancer in front',
    listeners: (place) => [webListener(place, ['a'])],
    check: async (run) => {
      const [from] = run.place.clients
      await ask(only(run), { path: '/logged?x=%20y', from })
      const line = await lineOf(run, /logged/)
      // local0, informational; then time, host and program.
      expect(line).toMatch(/^<134>\w{3} [ \d]\d \d\d:\d\d:\d\d amphora-\S+ haproxy\[\d+\]: /)
      const { project_id } = await run.client.call('GET', `listeners/${only(run).id}`)
      const { id, default_pool_id } = only(run)
      expect(line).toContain(`: ${project_id} ${run.load_balancer_id} ${id} ${from} `)
      expect(line).toContain(`"GET /logged?x=%20y HTTP/1.1" 200 `)
      expect(line).toContain(` ${default_pool_id}:${id} `)
    },
  },
  {
    features: [272],
    shows: 'a connection of TCP is logged, with dashes for what only HTTP has',
    listeners: (place) => [
      { protocol: 'TCP', default_pool: poolOf('TCP', members(place, ['tcpA'])) },
    ],
    check: async (run) => {
      const talk = await converse(run.vip, only(run).port)
      await talk.until('tcpA')
      talk.socket.destroy()
      expect(await lineOf(run, /./)).toMatch(/:\d\d\.\d+ - - \d+ \d+ /)
    },
  },
  {
    features: [273],
    shows: 'lines of the operator are in every frontend',
    listeners: (place) => [webListener(place, ['a'])],
    check: async (run) => {
      const { headers } = await ask(only(run))
      expect(headers['x-operator']).toBe('lab')
    },
  },
]
