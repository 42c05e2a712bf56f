/** All resources of the command line, in the order of its help. */
import { AMPHORA } from './amphora.ts'
import { AVAILABILITY_ZONE } from './availability-zone.ts'
import { AVAILABILITY_ZONE_PROFILE } from './availability-zone-profile.ts'
import { FLAVOR } from './flavor.ts'
import { FLAVOR_PROFILE } from './flavor-profile.ts'
import { HEALTH_MONITOR } from './health-monitor.ts'
import { L7POLICY } from './l7policy.ts'
import { L7RULE } from './l7rule.ts'
import { LISTENER } from './listener.ts'
import { LOAD_BALANCER } from './load-balancer.ts'
import { MEMBER } from './member.ts'
import { POOL } from './pool.ts'
import { PROVIDER } from './provider.ts'
import { QUOTA } from './quota.ts'
import type { ClientTable } from './table.ts'

export const TABLES: readonly ClientTable[] = [
  LOAD_BALANCER,
  LISTENER,
  POOL,
  MEMBER,
  HEALTH_MONITOR,
  L7POLICY,
  L7RULE,
  QUOTA,
  PROVIDER,
  AMPHORA,
  FLAVOR,
  FLAVOR_PROFILE,
  AVAILABILITY_ZONE,
  AVAILABILITY_ZONE_PROFILE,
]
