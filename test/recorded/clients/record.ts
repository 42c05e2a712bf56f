/**
 * Records what a client says to an octavia-lite with drivers that do nothing and its own identity:
 * a proxy on the port after the API's. `[api_settings] api_base_uri` names it, so that the
 * catalogue leads here, or a Neutron that passes on what is not its own, for clients that make
 * networks.
 *
 *     bun test/recorded/clients/record.ts http://127.0.0.1:9876 gophercloud
 *
 * Ends with SIGINT, and then writes what was said, without what a client that waits asks again and
 * again.
 */
import { writeFileSync } from 'node:fs'
import type { Exchange } from '../../api/replay.ts'

const [api = 'http://127.0.0.1:9876', name = 'client'] = process.argv.slice(2)
const exchanges: Exchange[] = []

/** Of reads of the same between two changes the last one counts, and what it says once. */
function withoutWaiting(all: readonly Exchange[]): readonly Exchange[] {
  const said = new Set<string>()
  return all.filter(({ method, path, answer }, index) => {
    if (method !== 'GET') return true
    const rest = all.slice(index + 1)
    const change = rest.findIndex((later) => later.method !== 'GET')
    if (rest.slice(0, change < 0 ? rest.length : change).some((later) => later.path === path))
      return false
    const text = path + JSON.stringify(answer)
    const isNew = !said.has(text)
    said.add(text)
    return isNew
  })
}

Bun.serve({
  port: Number(new URL(api).port) + 1,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    const url = new URL(request.url)
    const headers = new Headers(request.headers)
    headers.delete('host')
    const body = await request.text()
    const path = `${url.pathname}${url.search}`
    const sent = { method: request.method, headers, ...(body === '' ? {} : { body }) }
    const answer = await fetch(`${api}${path}`, sent)
    const text = await answer.text()
    const { status } = answer
    // Logins and what the network service says are no part of it.
    if (/^(\/load-balancer)?\/v2/.test(path))
      exchanges.push({
        ...{ method: request.method, path },
        ...(body === '' ? {} : { request: JSON.parse(body) }),
        status,
        ...(text === '' ? {} : { answer: JSON.parse(text) }),
      })
    return new Response(status === 204 || text === '' ? null : text, {
      status,
      headers: answer.headers,
    })
  },
})

process.on('SIGINT', () => {
  const lines = withoutWaiting(exchanges).map((one) => `${JSON.stringify(one)}\n`)
  writeFileSync(`${import.meta.dirname}/${name}.ndjson`, lines.join(''))
  process.exit(0)
})
