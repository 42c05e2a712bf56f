/**
 * Every command of `openstack loadbalancer`, in an order in which each finds what it needs. `$x` is
 * the id that an earlier one kept as x; `$project` is the name of a project.
 */

export interface Command {
  readonly argv: string
  /** Keeps the id of the object it shows. */
  readonly keep?: string
  /** Parts of what it prints as JSON; of a list these are some, and an empty one is empty. */
  readonly shows?: object
  /** Afterwards this load balancer is awaited, where the client does not. */
  readonly settles?: string
  /** It has to fail, and say this. */
  readonly fails?: RegExp
  /** What this release lacks for it, so that it may fail. */
  readonly lacks?: string
}

const SUBNET = '22222222-0000-4000-8000-000000000001'
const QOS = '33333333-0000-4000-8000-000000000001'
const ACTIVE = { provisioning_status: 'ACTIVE' }

const PROVIDERS: readonly Command[] = [
  { argv: 'provider list -f json', shows: [{ name: 'amphora' }] },
  { argv: 'provider capability list amphora -f json' },
  {
    argv: 'provider capability list --flavor amphora -f json',
    shows: [{ name: 'loadbalancer_topology' }],
  },
  {
    argv: 'provider capability list --availability-zone amphora -f json',
    shows: [{ name: 'compute_zone' }],
  },
]

const FLAVORS: readonly Command[] = [
  {
    argv:
      'flavorprofile create --name fp --provider amphora ' +
      '--flavor-data {"loadbalancer_topology":"SINGLE"} -f json',
    shows: { name: 'fp', provider_name: 'amphora' },
  },
  { argv: 'flavorprofile list -f json', shows: [{ name: 'fp' }] },
  { argv: 'flavorprofile show fp -f json', shows: { name: 'fp' } },
  { argv: 'flavorprofile set --name profile fp' },
  {
    argv: 'flavor create --name fl --flavorprofile profile --description d --enable -f json',
    shows: { name: 'fl', enabled: true },
  },
  { argv: 'flavor list --name fl -f json', shows: [{ name: 'fl' }] },
  { argv: 'flavor show fl -f json', shows: { name: 'fl' } },
  { argv: 'flavor set --name flavor fl' },
  { argv: 'flavor unset --description flavor' },
  {
    argv:
      'availabilityzoneprofile create --name zp --provider amphora ' +
      '--availability-zone-data {"compute_zone":"nova"} -f json',
    shows: { name: 'zp' },
  },
  { argv: 'availabilityzoneprofile list -f json', shows: [{ name: 'zp' }] },
  { argv: 'availabilityzoneprofile show zp -f json', shows: { name: 'zp' } },
  { argv: 'availabilityzoneprofile set --name zone-profile zp' },
  {
    argv:
      'availabilityzone create --name zone --availabilityzoneprofile zone-profile ' +
      '--description d -f json',
    shows: { name: 'zone' },
  },
  { argv: 'availabilityzone list -f json', shows: [{ name: 'zone' }] },
  { argv: 'availabilityzone show zone -f json', shows: { name: 'zone' } },
  { argv: 'availabilityzone set --disable zone' },
  { argv: 'availabilityzone unset --description zone' },
]

const LOAD_BALANCERS: readonly Command[] = [
  {
    argv: `create --name lb --vip-subnet-id ${SUBNET} --tag t --wait -f json`,
    keep: 'lb',
    shows: { name: 'lb', ...ACTIVE, provider: 'amphora' },
  },
  { argv: 'list -f json', shows: [{ name: 'lb' }] },
  { argv: 'list --name lb --tags t --provisioning-status ACTIVE -f json', shows: [{ id: '$lb' }] },
  { argv: 'show lb -f json', shows: { id: '$lb' } },
  { argv: 'list --project $project -f json', shows: [{ id: '$lb' }] },
  { argv: 'set --description d --tag u --wait lb' },
  { argv: 'unset --description --tag u --wait lb' },
  { argv: 'stats show lb -f json', shows: { active_connections: 0 } },
  { argv: 'status show lb', shows: { loadbalancer: { name: 'lb' } } },
  { argv: `set --vip-qos-policy-id ${QOS} --wait lb` },
  { argv: 'unset --vip-qos-policy-id --wait lb' },
]

const LISTENERS: readonly Command[] = [
  {
    argv: 'listener create --name li --protocol HTTP --protocol-port 80 --wait lb -f json',
    keep: 'listener',
    shows: { name: 'li', protocol_port: 80 },
  },
  { argv: 'listener list --loadbalancer lb -f json', shows: [{ name: 'li' }] },
  { argv: 'listener show li -f json', shows: ACTIVE },
  { argv: 'listener set --connection-limit 100 --insert-headers X-Forwarded-For=true --wait li' },
  { argv: 'listener set --allowed-cidr 10.0.0.0/8 --timeout-client-data 1000 --wait li' },
  { argv: 'listener unset --connection-limit --allowed-cidrs --timeout-client-data --wait li' },
  { argv: 'listener stats show li -f json', shows: { active_connections: 0 } },
]

const POOLS: readonly Command[] = [
  {
    argv:
      'pool create --name po --protocol HTTP --lb-algorithm ROUND_ROBIN --listener li ' +
      '--session-persistence type=APP_COOKIE,cookie_name=c --wait -f json',
    keep: 'pool',
    shows: { name: 'po', protocol: 'HTTP' },
  },
  { argv: 'pool list --loadbalancer lb -f json', shows: [{ name: 'po' }] },
  { argv: 'pool show po -f json', shows: ACTIVE },
  { argv: 'pool set --lb-algorithm SOURCE_IP --description d --wait po' },
  { argv: 'pool unset --session-persistence --description --wait po' },
  {
    argv: `member create --name m --address 10.0.0.11 --protocol-port 80 --subnet-id ${SUBNET} --wait po -f json`,
    keep: 'member',
    shows: { name: 'm', address: '10.0.0.11' },
  },
  { argv: 'member create --name m2 --address 10.0.0.21 --protocol-port 80 --wait po' },
  { argv: 'member list po -f json', shows: [{ name: 'm' }, { name: 'm2' }] },
  { argv: 'member delete --wait po m2' },
  { argv: 'member show po m -f json', shows: ACTIVE },
  { argv: 'member set --weight 5 --enable-backup --monitor-port 81 --wait po m' },
  { argv: 'member unset --weight --backup --monitor-port --wait po m' },
  {
    argv:
      'healthmonitor create --name h --type HTTP --delay 5 --timeout 3 --max-retries 2 ' +
      '--url-path /health --expected-codes 200-204 --wait po -f json',
    keep: 'monitor',
    shows: { name: 'h', type: 'HTTP' },
  },
  { argv: 'healthmonitor list -f json', shows: [{ name: 'h' }] },
  { argv: 'healthmonitor show h -f json', shows: ACTIVE },
  { argv: 'healthmonitor set --delay 6 --http-method HEAD --wait h' },
  { argv: 'healthmonitor unset --url-path --http-method --expected-codes --wait h' },
]

const L7: readonly Command[] = [
  {
    argv: 'l7policy create --name p --action REDIRECT_TO_POOL --redirect-pool po --wait li -f json',
    keep: 'policy',
    shows: { name: 'p', action: 'REDIRECT_TO_POOL', position: 1 },
  },
  { argv: 'l7policy list --listener li -f json', shows: [{ name: 'p' }] },
  { argv: 'l7policy show p -f json', shows: ACTIVE },
  { argv: 'l7policy set --action REDIRECT_TO_URL --redirect-url http://example.org/ --wait p' },
  { argv: 'l7policy set --description d --redirect-http-code 301 --wait p' },
  { argv: 'l7policy unset --description --redirect-http-code --wait p' },
  {
    // With --wait this client asks for a rule and its policy the wrong way round.
    argv: 'l7rule create --type PATH --compare-type STARTS_WITH --value /a p -f json',
    settles: 'lb',
    keep: 'rule',
    shows: { type: 'PATH', value: '/a' },
  },
  { argv: 'l7rule list p -f json', shows: [{ id: '$rule' }] },
  { argv: 'l7rule show p $rule -f json', shows: ACTIVE },
  { argv: 'l7rule set --type HEADER --key X-A --value b --invert --wait p $rule' },
  { argv: 'l7rule unset --invert --wait p $rule' },
  { argv: 'l7rule delete --wait p $rule' },
  { argv: 'l7policy delete --wait p' },
]

const QUOTAS: readonly Command[] = [
  { argv: 'quota defaults show -f json' },
  {
    argv: 'quota set --loadbalancer 10 --member 20 $project -f json',
    shows: { load_balancer: 10 },
  },
  { argv: 'quota show $project -f json', shows: { load_balancer: 10, member: 20 } },
  { argv: 'quota list -f json', shows: [{ load_balancer: 10 }] },
  { argv: 'quota unset --member $project' },
  { argv: 'quota reset $project' },
]

const AMPHORAE: readonly Command[] = [
  { argv: 'amphora list --loadbalancer lb -f json', keep: 'amphora' },
  { argv: 'amphora show $amphora -f json', shows: { loadbalancer_id: '$lb' } },
  // Nothing was ever counted on an amphora that does nothing.
  { argv: 'amphora stats show $amphora -f json', fails: /stats for .* not found.*HTTP 404/ },
  { argv: 'amphora configure $amphora' },
  // Only an amphora in ERROR may be deleted.
  { argv: 'amphora delete $amphora', fails: /HTTP 409/ },
  { argv: 'amphora failover --wait $amphora' },
  { argv: 'failover --wait lb' },
]

const DELETES: readonly Command[] = [
  { argv: 'healthmonitor delete --wait h' },
  { argv: 'member delete --wait po m' },
  { argv: 'pool delete --wait po' },
  { argv: 'listener delete --wait li' },
  { argv: 'delete --cascade --wait lb' },
  { argv: 'list -f json', shows: [] },
  { argv: 'flavor delete flavor' },
  { argv: 'flavorprofile set --flavor-data {} profile' },
  { argv: 'flavorprofile delete profile' },
  { argv: 'availabilityzone delete zone' },
  { argv: 'availabilityzoneprofile delete zone-profile' },
]

export const COMMANDS: readonly Command[] = [
  ...PROVIDERS,
  ...FLAVORS,
  ...LOAD_BALANCERS,
  ...LISTENERS,
  ...POOLS,
  ...L7,
  ...QUOTAS,
  ...AMPHORAE,
  ...DELETES,
]
