import { expect, test } from 'vitest'
import { fillPath, matchPath, ROUTES } from '../../src/contract/routes.ts'

const ALL = Object.values(ROUTES)

test('every request belongs to one route', () => {
  for (const route of ALL) {
    const path = fillPath(route.path, new Proxy({}, { get: (_, name) => `some-${String(name)}` }))
    const matches = ALL.filter((r) => r.method === route.method && matchPath(r.path, path))
    const names = matches.map((r) => r.path)
    // `vrrp/upload` is written before `vrrp/{action}`, which would take it too.
    expect(names[0]).toBe(route.path)
    expect(names.length).toBe(route.path.endsWith('/vrrp/upload') ? 2 : 1)
  }
})

test.each([
  ['/1.0/loadbalancer/a/reload', { object_id: 'a', action: 'reload' }],
  ['/1.0/loadbalancer/a%2Fb/reload', { object_id: 'a/b', action: 'reload' }],
  ['/1.0/loadbalancer/a', undefined],
  ['/1.0/loadbalancer//reload', undefined],
  ['/1.0/loadbalancer/a/reload/', undefined],
  ['/1.0/loadbalancer/%E0%A4%A/reload', undefined],
  ['/2.0/loadbalancer/a/reload', undefined],
])('%s', (path, expected) => {
  expect(matchPath(ROUTES.control.path, path)).toEqual(expected)
})

test('a parameter cannot change the route', () => {
  const path = fillPath(ROUTES.control.path, { object_id: '../x?y#z', action: 'stop' })
  expect(path).toBe('/1.0/loadbalancer/..%2Fx%3Fy%23z/stop')
  expect(matchPath(ROUTES.control.path, path)).toEqual({ object_id: '../x?y#z', action: 'stop' })
})
