import { expect, test } from 'vitest'
import { type Input, parseWords } from '../../../src/command/client/parse.ts'
import { TABLES } from '../../../src/command/client/tables.ts'
import { verbsOf } from '../../../src/command/client/verb.ts'
import { CommandFailure } from '../../../src/command/io.ts'

function parse(line: string): Input {
  const [command, verbName, ...words] = line.split(' ').map((word) => word.replaceAll('~', ' '))
  const table = TABLES.find((each) => each.command === command)
  const verb = table && verbsOf(table).find(({ name }) => name === verbName)
  if (verb === undefined) throw new Error(line)
  return parseWords(words, { ...verb, options: [...verb.options, ...verb.output] })
}

test.each<[string, Record<string, unknown>]>([
  ['lb create --vip-subnet-id=s', { vip_subnet_id: 's' }],
  ['lb create --vip-sub s', { vip_subnet_id: 's' }],
  ['lb create --vip-subnet-id s --name a~b --disable', { name: 'a b', admin_state_up: false }],
  ['lb create --vip-subnet-id s --tag a --tag b', { tags: ['a', 'b'] }],
  ['lb set x --vip-qos-policy-id None', { vip_qos_policy_id: null }],
  ['lb set x --vip-sg-id a --vip-sg-id b', { vip_sg_ids: ['a', 'b'] }],
  ['lb unset x --vip-sg-id --name', { vip_sg_ids: null, name: null }],
  [
    'lb create --vip-subnet-id s --additional-vip subnet-id=t,ip-address=10.0.0.9',
    { additional_vips: [{ subnet_id: 't', ip_address: '10.0.0.9' }] },
  ],
  ['lb list --provisioning-status active', { provisioning_status: 'ACTIVE' }],
  ['lb list --tags a,b --not-any-tags c', { tags: ['a', 'b'], 'not-tags-any': ['c'] }],
  ['lb list -fjson -c id -c name', { format: 'json', column: ['id', 'name'] }],
  ['listener set x --connection-limit -1', { connection_limit: -1 }],
  [
    'listener set x --insert-headers X-Forwarded-For=true,X-Forwarded-Port=false',
    { insert_headers: { 'X-Forwarded-For': 'true', 'X-Forwarded-Port': 'false' } },
  ],
  ['listener set x --sni-container-refs a b --name n', { sni_container_refs: ['a', 'b'] }],
  ['listener set x --client-ca-tls-container-ref void', { client_ca_tls_container_ref: null }],
  ['listener set x --allowed-cidr 10.0.0.0/8', { allowed_cidrs: ['10.0.0.0/8'] }],
  ['listener set x --hsts-preload', { hsts_preload: true }],
  ['listener create lb --protocol http --protocol-port 80', { protocol: 'HTTP' }],
  [
    'pool set x --session-persistence type=APP_COOKIE,cookie_name=c',
    { session_persistence: { type: 'APP_COOKIE', cookie_name: 'c' } },
  ],
  [
    'pool set x --session-persistence type=source_ip,persistence-timeout=300',
    { session_persistence: { type: 'SOURCE_IP', persistence_timeout: 300 } },
  ],
  ['pool set x --enable-tls', { tls_enabled: true }],
  ['member set p m --weight 0 --disable-backup', { weight: 0, backup: false }],
  ['member unset p m --backup --weight', { backup: null, weight: null }],
  ['healthmonitor set x --http-version 1.1', { http_version: 1.1 }],
  ['amphora list --provisioning-status ready', { status: 'READY' }],
  ['quota set p --loadbalancer 5 --healthmonitor -1', { load_balancer: 5, health_monitor: -1 }],
  ['l7rule unset p r --invert', { invert: null }],
])('%s', (line, values) => {
  expect(Object.fromEntries(parse(line).values)).toMatchObject(values)
})

test('positionals may stand anywhere', () => {
  expect(parse('member set p --weight 1 m').positionals).toEqual(['p', 'm'])
  expect(parse('lb show -- -odd').positionals).toEqual(['-odd'])
})

test.each([
  ['lb create --name x', 'at least one of --vip-subnet-id, --vip-network-id, --vip-port-id'],
  ['lb create --bogus x', 'there is no option --bogus'],
  ['lb create --vip x', '--vip could be'],
  ['lb show', 'LOADBALANCER is missing'],
  ['lb show a b', "unexpected argument 'b'"],
  ['lb list --enable --disable', '--disable and --enable exclude each other'],
  ['lb list --name', '--name needs a value: NAME'],
  ['lb list --enable=1', '--enable takes no value'],
  ['lb list -f xml', '--format is one of csv, json, table, value, yaml'],
  ['lb list --operating-status fine', '--operating-status is one of ONLINE'],
  ['lb create --vip-subnet-id s --additional-vip t', '--additional-vip is key=value'],
  ['lb create --vip-subnet-id s --additional-vip mac=t', 'not'],
  ['lb create --vip-subnet-id s --additional-vip port-id=t', 'not'],
  ['listener create lb --protocol HTTP', '--protocol-port N is needed'],
  ['listener create lb --protocol HTTP --protocol-port http', 'is a whole number'],
  ['pool create --protocol HTTP --lb-algorithm ROUND_ROBIN', 'exactly one of --listener and'],
  [
    'pool create --protocol HTTP --lb-algorithm ROUND_ROBIN --listener a --loadbalancer b',
    'exactly',
  ],
  ['healthmonitor set x --http-version 2', '--http-version is 1 or 1.1'],
  ['quota set p', 'at least one of'],
  ['lb create --vip-subnet-id s --tag a --no-tag', 'exclude each other'],
])('%s is refused', (line, why) => {
  let refused: unknown
  try {
    parse(line)
  } catch (error) {
    refused = error
  }
  expect(refused).toBeInstanceOf(CommandFailure)
  expect(refused).toMatchObject({ exit: 2 })
  expect(String(refused)).toContain(why)
})
