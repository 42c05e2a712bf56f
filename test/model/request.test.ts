/**
 * Bodies by fields: generated from the definitions, so that a new field is covered when it is
 * written.
 */
import { describe, expect, test } from 'vitest'
import type { Fields, ModelDefaults } from '../../src/model/field.ts'
import { healthMonitor } from '../../src/model/health-monitor.ts'
import { listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { member } from '../../src/model/member.ts'
import { pool } from '../../src/model/pool.ts'
import {
  findUnsupported,
  parseCreate,
  parseJson,
  parseUpdate,
  unwrap,
} from '../../src/model/request.ts'

const DEFAULTS: ModelDefaults = {
  timeout_client_data: 1,
  timeout_member_connect: 2,
  timeout_member_data: 3,
  timeout_tcp_inspect: 4,
}
const ID = '00000000-0000-4000-8000-000000000000'
const MINIMAL = [
  [loadBalancer, {}],
  [listener, { loadbalancer_id: ID, protocol: 'HTTP', protocol_port: 80 }],
  [pool, { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }],
  [member, { address: '10.0.0.1', protocol_port: 80 }],
  [healthMonitor, { pool_id: ID, type: 'TCP', delay: 1, timeout: 1, max_retries: 1 }],
] as const

test('a part of a value is refused by its own name', () => {
  const refusal = (session_persistence: unknown) => () =>
    parseUpdate(pool.fields, { session_persistence }, 'a.b', DEFAULTS)
  expect(refusal({ type: 'APP_COOKIE', cookie_name: 'a b' })).toThrow(
    "Invalid input for field/attribute cookie_name. Value: 'a b'.",
  )
  const additional_vips = [{ ip_address: '10.0.0.1' }]
  expect(() => parseCreate(loadBalancer.fields, { additional_vips }, 'a.b', DEFAULTS)).toThrow(
    "Invalid input for field/attribute subnet_id. Value: 'None'. Mandatory field missing.",
  )
})

describe.each(MINIMAL)('$title', (resource, minimal) => {
  const fields: Fields = resource.fields
  const create = (input: object): Record<string, unknown> =>
    parseCreate(fields, input, 'a.b', DEFAULTS)

  test('a minimal create has a value for every writable field', () => {
    const parsed = create(minimal)
    for (const [name, { options }] of Object.entries(fields))
      if (options.writable === 'never') expect(parsed).not.toHaveProperty(name)
      else expect(parsed[name], name).not.toBeUndefined()
    expect(parsed).toMatchObject(minimal)
  })

  test('each mandatory field is missed by its name, absent or null', () => {
    for (const name of Object.keys(minimal)) {
      expect(() => create({ ...minimal, [name]: undefined })).toThrow(
        `Invalid input for field/attribute ${name}. Value: 'None'. Mandatory field missing.`,
      )
      const parent = fields[name]?.options.parent
      expect(() => create({ ...minimal, [name]: null })).toThrow(
        parent === undefined
          ? `None is not a valid option for ${name}`
          : `${parent} None not found.`,
      )
    }
  })

  test('what it belongs to is missed last', () => {
    const [parent] = Object.keys(fields).filter((name) => fields[name]?.options.parent)
    if (parent !== undefined) expect(() => create({})).not.toThrow(parent)
  })

  test('each field that only the system writes is unknown', () => {
    for (const [name, { options }] of Object.entries(fields)) {
      if (options.writable === 'never')
        expect(() => create({ ...minimal, [name]: ID })).toThrow(
          `Unknown attribute for argument a.b: ${name}`,
        )
      if (options.writable !== undefined && options.writable !== 'always')
        expect(() => parseUpdate(fields, { [name]: null }, 'a.b', DEFAULTS)).toThrow(
          `Unknown attribute for argument a.b: ${name}`,
        )
    }
  })

  test('an update has what was sent, and null is the fallback', () => {
    expect(parseUpdate(fields, {}, 'a.b', DEFAULTS)).toEqual({})
    expect(
      parseUpdate(fields, { name: null, admin_state_up: null, tags: null }, 'a', DEFAULTS),
    ).toEqual({
      name: '',
      admin_state_up: false,
      tags: [],
    })
  })
})

test('unknown attributes are named together, and the own keys of objects only', () => {
  expect(() => parseCreate(pool.fields, { x: 1, y: 2 }, 'p', DEFAULTS)).toThrow(
    'Unknown attributes for argument p: x, y',
  )
  for (const name of ['__proto__', 'constructor', 'toString'])
    expect(() => parseUpdate(pool.fields, JSON.parse(`{"${name}": 1}`), 'p', DEFAULTS)).toThrow(
      `Unknown attribute for argument p: ${name}`,
    )
})

test('defaults of the operator, and both names of the project', () => {
  const parsed = parseCreate(
    listener.fields,
    {
      loadbalancer_id: ID.replaceAll('-', ''),
      protocol: 'TCP',
      protocol_port: '80',
      tenant_id: 't',
    },
    'a',
    DEFAULTS,
  )
  expect(parsed).toMatchObject({
    loadbalancer_id: ID,
    protocol_port: 80,
    project_id: 't',
    timeout_client_data: 1,
    timeout_tcp_inspect: 4,
  })
})

test.each([
  ['', undefined],
  ['{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
  ['[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]', expect.any(Array)],
])('parseJson(%j)', (text, expected) => {
  expect(parseJson(text)).toEqual(expected)
})

test.each([
  ['{', 'Request is not in valid JSON format'],
  ['{}x', 'Request is not in valid JSON format'],
  ['NaN', 'Request is not in valid JSON format'],
  [`${'['.repeat(17)}1${']'.repeat(17)}`, 'Validation failure: The request is nested too deeply.'],
  [`${'['.repeat(100_000)}`, 'Request is not in valid JSON format'],
])('parseJson refuses %.20s', (text, message) => {
  expect(() => parseJson(text)).toThrow(message)
})

test.each([
  [undefined, 'Missing argument: "arg"'],
  [{}, 'Missing argument: "w"'],
  [{ w: 1, v: 2 }, 'Unknown attribute for argument arg: v'],
  [[], "Invalid input for field/attribute arg. Value: '[]'. Value should be a dictionary"],
])('unwrap(%j) is refused', (body, message) => {
  expect(() => unwrap(body, 'arg', 'w')).toThrow(message)
})

test('an option is unsupported unless null or at its default', () => {
  const find = (values: object) =>
    findUnsupported(pool.fields, ['tls_enabled', 'tls_ciphers'], { ...values }, DEFAULTS)
  expect(find({})).toBeUndefined()
  expect(find({ tls_enabled: false, tls_ciphers: null })).toBeUndefined()
  expect(find({ tls_enabled: true })).toBe('tls_enabled')
  expect(find({ tls_enabled: false, tls_ciphers: 'X' })).toBe('tls_ciphers')
})
