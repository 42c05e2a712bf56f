/** All rows of the traffic matrix. */
import { balancingRows } from './balancing.ts'
import { elsewhereRows } from './elsewhere.ts'
import { limitRows } from './limits.ts'
import { logRows } from './logs.ts'
import { metricsRows } from './metrics.ts'
import { monitorRows } from './monitors.ts'
import { protocolRows } from './protocols.ts'
import type { MatrixRow } from './row.ts'
import { ruleChangeRows } from './rule-changes.ts'
import { ruleAndActionRows } from './rules.ts'
import { tlsRows } from './tls.ts'
import { tlsChangeRows } from './tls-changes.ts'
import { tlsMemberRows } from './tls-members.ts'

export const MATRIX: readonly MatrixRow[] = [
  ...protocolRows,
  ...balancingRows,
  ...ruleAndActionRows,
  ...ruleChangeRows,
  ...monitorRows,
  ...limitRows,
  ...tlsRows,
  ...tlsMemberRows,
  ...tlsChangeRows,
  ...metricsRows,
  ...logRows,
  ...elsewhereRows,
]
