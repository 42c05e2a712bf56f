/** L7 policies with one rule each, and requests that show what every one of them does. */
import type { L7Policy } from '../../src/model/l7policy.ts'
import type { L7Rule } from '../../src/model/l7rule.ts'
import type { L7PolicyTree } from '../../src/model/tree.ts'
import { l7policyRow, l7ruleRow } from '../fake/rows.ts'

const REJECT = { action: 'REJECT' } as const
const HEADER = { type: 'HEADER', key: 'X-Test', compare_type: 'EQUAL_TO' } as const

/** In the order of their positions: the first that applies decides. */
const POLICIES: readonly (readonly [Partial<L7Policy>, Partial<L7Rule>])[] = [
  [
    {
      action: 'REDIRECT_TO_URL',
      redirect_url: 'http://a.example/%20?b=%[src]',
      redirect_http_code: 307,
    },
    { value: '/url' },
  ],
  [
    { action: 'REDIRECT_PREFIX', redirect_prefix: 'https://a.example/x', redirect_http_code: 308 },
    { value: '/prefix' },
  ],
  [REJECT, { compare_type: 'REGEX', value: '^/(deny|re ject)/\\d+$' }],
  [REJECT, { type: 'FILE_TYPE', compare_type: 'EQUAL_TO', value: 'secret' }],
  [REJECT, { type: 'HOST_NAME', compare_type: 'ENDS_WITH', value: '.example.ORG' }],
  [REJECT, { ...HEADER, value: '-f' }],
  [REJECT, { ...HEADER, value: '"quo#ted"\\' }],
  [REJECT, { type: 'COOKIE', key: 'kind', compare_type: 'CONTAINS', value: 'bad' }],
]
/** Applies where none of the above does: to everything but /default. */
const TO_POOL = { compare_type: 'STARTS_WITH', value: '/default', invert: true } as const

export function l7Policies(listener_id: string, pool_id: string): readonly L7PolicyTree[] {
  const redirect = { action: 'REDIRECT_TO_POOL', redirect_pool_id: pool_id } as const
  return [...POLICIES, [redirect, TO_POOL] as const].map(([policy, rule], at) => {
    const row = l7policyRow({ listener_id, position: at + 1, ...policy })
    return { ...row, rules: [l7ruleRow({ l7policy_id: row.id, ...rule })] }
  })
}

export interface L7Request {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** The body, or status and where the answer leads. */
  readonly expected: string
}

export const L7_REQUESTS: readonly L7Request[] = [
  { path: '/default', expected: 'one' },
  { path: '/', expected: 'two' },
  { path: '/url/1', expected: '307 http://a.example/%20?b=%[src]' },
  { path: '/prefix/1?c=d', expected: '308 https://a.example/x/prefix/1?c=d' },
  { path: '/deny/12', expected: '403' },
  { path: '/deny/x', expected: 'two' },
  { path: '/a/b.secret', expected: '403' },
  { path: '/a.secret/b', expected: 'two' },
  { path: '/default', headers: { Host: 'WWW.Example.org' }, expected: '403' },
  { path: '/default', headers: { 'X-Test': '-f' }, expected: '403' },
  { path: '/default', headers: { 'X-Test': '"quo#ted"\\' }, expected: '403' },
  { path: '/default', headers: { 'X-Test': 'quo#ted' }, expected: 'one' },
  { path: '/default', headers: { Cookie: 'a=b; kind=verybad' }, expected: '403' },
  { path: '/default', headers: { Cookie: 'other=bad' }, expected: 'one' },
]
