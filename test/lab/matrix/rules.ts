/** Rows of the matrix: L7 policies, every type of rule, comparison and action. */
import { expect } from 'vitest'
import { type Ask, ask } from './client.ts'
import { members, type Place } from './place.ts'
import { poolOf, webListener } from './protocols.ts'
import { type MatrixRow, only, type Run, type Wish } from './row.ts'

/** A request, and the name of the server that gets it or the status of the answer. */
type Expected = readonly [Ask, string]

export async function expectAll(run: Run, list: readonly Expected[]): Promise<void> {
  const got: [Ask, string][] = []
  for (const [how] of list) {
    const { status, body, headers } = await ask(only(run), how)
    const location = headers.location === undefined ? '' : ` ${String(headers.location)}`
    const name = status === 200 ? String((JSON.parse(body) as { server: string }).server) : ''
    got.push([how, name === '' ? `${status}${location}` : name])
  }
  expect(got).toEqual(list)
}

/** A listener whose default is member `a`; one policy, which leads to member `b` unless it says. */
export function ruled(place: Place, rules: readonly Wish[], policy: Wish = {}): Wish {
  const redirect_pool = poolOf('HTTP', members(place, ['b']))
  const action =
    policy.action === undefined ? { action: 'REDIRECT_TO_POOL', redirect_pool } : undefined
  return webListener(place, ['a'], {
    listener: { l7policies: [{ ...action, ...policy, rules }] },
  })
}

/** One rule: what it says, requests that meet it, and requests that do not. */
function ruleRow(
  shows: string,
  rule: Wish,
  yes: readonly Ask[],
  no: readonly Ask[],
  features: readonly number[] = [256],
): MatrixRow {
  const expected = [
    ...yes.map((how): Expected => [how, 'b']),
    ...no.map((how): Expected => [how, 'a']),
  ]
  return {
    features,
    shows: `L7 rule: ${shows}`,
    listeners: (place) => [ruled(place, [rule])],
    check: (run) => expectAll(run, expected),
  }
}

export const path = (text: string): Ask => ({ path: text })
const host = (text: string): Ask => ({ headers: { host: text } })
const header = (text: string): Ask => ({ headers: { 'x-test': text } })
const cookie = (text: string): Ask => ({ headers: { cookie: text } })
const headerRule = (compare_type: string, value: string): Wish => ({
  ...{ type: 'HEADER', key: 'X-Test', compare_type, value },
})

const SPECIAL = '-f"#z\\"'

const ruleRows: readonly MatrixRow[] = [
  ruleRow(
    'PATH EQUAL_TO',
    { type: 'PATH', compare_type: 'EQUAL_TO', value: '/exact' },
    [path('/exact'), path('/exact?query=1')],
    [path('/exact/'), path('/EXACT'), path('/')],
  ),
  ruleRow(
    'PATH STARTS_WITH',
    { type: 'PATH', compare_type: 'STARTS_WITH', value: '/api' },
    [path('/api'), path('/api/v2'), path('/apis')],
    [path('/v2/api')],
  ),
  ruleRow(
    'PATH REGEX with a blank and a backslash',
    { type: 'PATH', compare_type: 'REGEX', value: '^/(x y|\\d+)$' },
    [path('/12')],
    [path('/1a'), path('/x')],
  ),
  ruleRow(
    'HOST_NAME EQUAL_TO in any case of letters',
    { type: 'HOST_NAME', compare_type: 'EQUAL_TO', value: 'www.example.org' },
    [host('www.example.org'), host('WWW.Example.ORG')],
    [host('example.org')],
  ),
  ruleRow(
    'HOST_NAME ENDS_WITH',
    { type: 'HOST_NAME', compare_type: 'ENDS_WITH', value: '.example.org' },
    [host('a.b.example.org')],
    [host('example.org'), host('a.example.org.evil')],
  ),
  ruleRow(
    'FILE_TYPE EQUAL_TO',
    { type: 'FILE_TYPE', compare_type: 'EQUAL_TO', value: 'png' },
    [path('/a/b.png'), path('/x.png?y')],
    [path('/png/x'), path('/a.jpg')],
  ),
  ruleRow(
    'FILE_TYPE REGEX',
    { type: 'FILE_TYPE', compare_type: 'REGEX', value: '(jpg|gif)' },
    [path('/a.jpg'), path('/b.gif')],
    [path('/a.png')],
  ),
  ruleRow(
    'HEADER EQUAL_TO',
    headerRule('EQUAL_TO', 'yes'),
    [header('yes')],
    [header('Yes'), header('yes!'), {}],
  ),
  ruleRow('HEADER STARTS_WITH', headerRule('STARTS_WITH', 'ab'), [header('abc')], [header('cab')]),
  ruleRow('HEADER ENDS_WITH', headerRule('ENDS_WITH', 'ab'), [header('cab')], [header('abc')]),
  ruleRow('HEADER CONTAINS', headerRule('CONTAINS', 'ab'), [header('cabc')], [header('acb')]),
  ruleRow('HEADER REGEX', headerRule('REGEX', '^a.c$'), [header('axc')], [header('xaxc')]),
  ruleRow(
    'HEADER with what haproxy reads specially: quotes, hash, backslash, a leading dash',
    headerRule('EQUAL_TO', SPECIAL),
    [header(SPECIAL)],
    [header('-f')],
  ),
  ruleRow(
    'COOKIE CONTAINS',
    { type: 'COOKIE', key: 'kind', compare_type: 'CONTAINS', value: 'gold' },
    [cookie('other=1; kind=very-gold')],
    [cookie('kind=silver'), cookie('gold=1')],
  ),
  ruleRow(
    'inverted',
    { type: 'PATH', compare_type: 'STARTS_WITH', value: '/in', invert: true },
    [path('/out')],
    [path('/in')],
  ),
]

export const REJECTED = { type: 'PATH', compare_type: 'STARTS_WITH', value: '/no' } as const

export const ruleAndActionRows: readonly MatrixRow[] = [
  ...ruleRows,
  {
    features: [256],
    shows: 'several rules of one policy must all hold',
    listeners: (place) => [ruled(place, [REJECTED, headerRule('EQUAL_TO', 'yes')])],
    check: (run) =>
      expectAll(run, [
        [{ path: '/no', headers: { 'x-test': 'yes' } }, 'b'],
        [{ path: '/no' }, 'a'],
        [{ headers: { 'x-test': 'yes' } }, 'a'],
      ]),
  },
  {
    features: [257],
    shows: 'REJECT answers 403',
    listeners: (place) => [ruled(place, [REJECTED], { action: 'REJECT' })],
    check: (run) =>
      expectAll(run, [
        [path('/no'), '403'],
        [path('/yes'), 'a'],
      ]),
  },
  {
    features: [257],
    shows: 'REDIRECT_TO_URL sends there as it is written, 302 unless it says',
    listeners: (place) => [
      ruled(place, [REJECTED], {
        action: 'REDIRECT_TO_URL',
        redirect_url: 'http://a.example/%20?b=%[src]',
      }),
    ],
    check: (run) =>
      expectAll(run, [
        [path('/no?c'), '302 http://a.example/%20?b=%[src]'],
        [path('/yes'), 'a'],
      ]),
  },
  ...[301, 302, 303, 307, 308].map(
    (code): MatrixRow => ({
      features: [257],
      shows: `REDIRECT_PREFIX with code ${code} keeps path and query`,
      listeners: (place) => [
        ruled(place, [REJECTED], {
          ...{ action: 'REDIRECT_PREFIX', redirect_http_code: code },
          redirect_prefix: 'https://a.example/x',
        }),
      ],
      check: (run) => expectAll(run, [[path('/no?c=d'), `${code} https://a.example/x/no?c=d`]]),
    }),
  ),
  {
    features: [257],
    shows: 'policies are looked at by position, and a disabled one not at all',
    listeners: (place) => [
      webListener(place, ['a'], {
        listener: {
          l7policies: [
            { action: 'REJECT', position: 1, admin_state_up: false, rules: [REJECTED] },
            {
              ...{ action: 'REDIRECT_TO_URL', redirect_url: 'http://second.example/' },
              ...{ position: 2, rules: [REJECTED] },
            },
            {
              ...{ action: 'REDIRECT_TO_URL', redirect_url: 'http://third.example/' },
              ...{ position: 3, rules: [REJECTED] },
            },
          ],
        },
      }),
    ],
    check: (run) => expectAll(run, [[path('/no'), '302 http://second.example/']]),
  },
]
