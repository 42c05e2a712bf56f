/** Rows of the matrix that no request can show here, each with the reason. */
import type { MatrixRow } from './row.ts'

function elsewhere(feature: number, shows: string, impossible: string): MatrixRow {
  return { features: [feature], shows, impossible }
}

export const elsewhereRows: readonly MatrixRow[] = [
  elsewhere(
    246,
    'threads and CPUs where the TuneD profile amphora is active',
    'no TuneD in an amphora of namespaces; shown by the case pinned of test/dataplane/cases',
  ),
  elsewhere(
    247,
    'peers share stick tables',
    'one amphora per load balancer here; shown by the case pair of test/dataplane/cases',
  ),
  elsewhere(
    277,
    'what older versions lack is left out',
    'one haproxy is installed; shown by test/dataplane/haproxy.test.ts, with a second haproxy',
  ),
  elsewhere(
    245,
    'sessions of TLS have as much memory as connections leave',
    'amphorae here share the memory of the host; shown by the case tls-listeners',
  ),
]
