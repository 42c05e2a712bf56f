/** Every route of the API, by the file that has it. */
import type { Route } from './route.ts'
import { AMPHORA_ROUTES } from './v2/amphorae.ts'
import { AVAILABILITY_ZONE_ROUTES } from './v2/availability-zones.ts'
import { FLAVOR_ROUTES } from './v2/flavors.ts'
import { HEALTH_MONITOR_ROUTES } from './v2/health-monitors.ts'
import { JOB_ROUTES } from './v2/jobs.ts'
import { L7POLICY_ROUTES } from './v2/l7policies.ts'
import { L7RULE_ROUTES } from './v2/l7rules.ts'
import { LISTENER_ROUTES } from './v2/listeners.ts'
import { LOAD_BALANCER_ROUTES } from './v2/load-balancers.ts'
import { MEMBER_ROUTES } from './v2/members.ts'
import { NETWORK_ROUTES } from './v2/networks.ts'
import { POOL_ROUTES } from './v2/pools.ts'
import { PROVIDER_ROUTES } from './v2/providers.ts'
import { QUOTA_ROUTES } from './v2/quotas.ts'
import { VERSION_ROUTES } from './versions.ts'

export const ROUTES = {
  versions: VERSION_ROUTES,
  'load balancers': LOAD_BALANCER_ROUTES,
  listeners: LISTENER_ROUTES,
  pools: POOL_ROUTES,
  members: MEMBER_ROUTES,
  'health monitors': HEALTH_MONITOR_ROUTES,
  'L7 policies': L7POLICY_ROUTES,
  'L7 rules': L7RULE_ROUTES,
  amphorae: AMPHORA_ROUTES,
  providers: PROVIDER_ROUTES,
  flavors: FLAVOR_ROUTES,
  'availability zones': AVAILABILITY_ZONE_ROUTES,
  quotas: QUOTA_ROUTES,
  jobs: JOB_ROUTES,
  networks: NETWORK_ROUTES,
} as const satisfies Readonly<Record<string, readonly Route[]>>
