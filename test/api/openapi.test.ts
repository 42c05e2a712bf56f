import { expect, test } from 'vitest'
import { openapiDocument } from '../../src/api/openapi.ts'
import { pathsOf, type Route } from '../../src/api/route.ts'
import { ROUTES } from '../../src/api/routes.ts'
import { RULES } from '../../src/policy/rules.ts'
import { createHarness } from './harness.ts'

// biome-ignore lint/suspicious/noExplicitAny: a document to look into
const document = openapiDocument() as any
const routes = Object.values(ROUTES).flat() as Route[]

test('it has every route once, with its rule and a status', () => {
  for (const route of routes) {
    const path = (pathsOf(route)[0] ?? '').replace(/:(\w+)/g, '{$1}')
    const operation = document.paths[path][route.method.toLowerCase()]
    expect(operation['x-octavia-lite-rule']).toBe(route.rule)
    expect(operation.responses[route.status]).toBeDefined()
    expect(RULES[route.rule]).toBeDefined()
  }
  const operations = Object.values(document.paths).flatMap((path) => Object.keys(path as object))
  expect(operations).toHaveLength(routes.length)
})

test('bodies and answers are the fields of the model', () => {
  const { post } = document.paths['/v2.0/lbaas/listeners']
  const body = post.requestBody.content['application/json'].schema.properties.listener
  expect(body.required).toEqual(['loadbalancer_id', 'protocol', 'protocol_port'])
  expect(body.additionalProperties).toBe(false)
  expect(body.properties.protocol_port).toMatchObject({
    type: 'integer',
    minimum: 1,
    maximum: 65535,
  })
  expect(body.properties.id).toBeUndefined()
  const answer = post.responses[201].content['application/json'].schema.properties.listener
  expect(answer.properties).toMatchObject({ id: {}, provisioning_status: {}, loadbalancers: {} })
  const graph = document.paths['/v2.0/lbaas/loadbalancers'].post.requestBody.content
  const nested = graph['application/json'].schema.properties.loadbalancer.properties
  expect(nested.listeners.items.properties.default_pool.anyOf).toHaveLength(2)
})

test('no reference leads nowhere, and the API serves the same document', async () => {
  for (const [, name] of JSON.stringify(document).matchAll(
    /"\$ref":"#\/components\/schemas\/(\w+)"/g,
  ))
    expect(document.components.schemas[name ?? '']).toBeDefined()
  expect((await createHarness().send('GET', '/openapi.json')).body).toEqual(
    JSON.parse(JSON.stringify(document)),
  )
})
