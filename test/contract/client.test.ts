import { describe, expect, test } from 'vitest'
import { AgentRefusal, type AgentRequest, createAgentClient } from '../../src/contract/client.ts'

function answering(status: number, text: string, contentType = 'application/json') {
  const requests: AgentRequest[] = []
  const client = createAgentClient(async (request) => {
    requests.push(request)
    return { status, text, contentType, etag: 'e' }
  })
  return { client, requests }
}

test('a JSON body', async () => {
  const { client, requests } = answering(202, '{"message":"OK","details":"d"}')
  const body = { subnet_cidr: '10.0.0.0/24', gateway: null, mac_address: '02:00:00:00:00:01' }
  const reply = await client.call('plugVip', { vip: 'fd00::1' }, body)
  expect(reply).toEqual({ status: 202, etag: 'e', value: { message: 'OK', details: 'd' } })
  expect(requests).toEqual([
    {
      method: 'POST',
      path: '/1.0/plug/vip/fd00%3A%3A1',
      headers: expect.objectContaining({ 'content-type': 'application/json' }),
      body: JSON.stringify(body),
    },
  ])
})

test('text in and text out', async () => {
  const { client, requests } = answering(200, 'global\n', 'text/plain')
  expect((await client.call('getHaproxy', { lb_id: 'lb' })).value).toBe('global\n')
  expect(requests[0]).toMatchObject({ method: 'GET', body: undefined })
  const upload = answering(202, '{"message":"OK"}')
  await upload.client.call('uploadHaproxy', { amphora_id: 'a', lb_id: 'lb' }, 'global\n')
  expect(upload.requests[0]).toMatchObject({
    path: '/1.0/loadbalancer/a/lb/haproxy',
    body: 'global\n',
  })
})

describe('what a refusal means', () => {
  test.each([
    [400, '{"message":"Invalid request","details":"bad"}', 'application/json', false],
    [401, '{}', 'application/json', false],
    [403, '{}', 'application/json', false],
    [404, '{"message":"Loadbalancer Not Found"}', 'application/json', false],
    [404, '{"details":"No suitable network interface found"}', 'application/json', true],
    [404, '<html>', 'text/html', true],
    [405, '{}', 'application/json', false],
    [409, '{"message":"Interface already exists"}', 'application/json', false],
    [302, '', '', false],
    [500, '{"error":"x","http_code":500}', 'application/json', false],
    [503, '', '', true],
  ])('%i %s', async (status, text, type, retryable) => {
    const { client } = answering(status, text, type)
    const error = await client.call('getInfo', {}).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(AgentRefusal)
    expect(error).toMatchObject({ status, retryable })
  })
})

test("the agent's reason is told, cut to a length", async () => {
  const details = 'x'.repeat(40_000)
  const { client } = answering(400, JSON.stringify({ message: 'Invalid request', details }))
  const error = await client.call('getInfo', {}).catch((e: Error) => e)
  expect((error as Error).message).toMatch(/^the agent answered 400: Invalid request: x+$/)
  expect((error as Error).message.length).toBeLessThan(20_100)
})

test('a success that is not JSON is no success', async () => {
  const { client } = answering(200, '<html>')
  await expect(client.call('getInfo', {})).rejects.toMatchObject({ retryable: false })
})
