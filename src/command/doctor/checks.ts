/** All looks at an installation, section by section; nothing is changed. */
import { existsSync } from 'node:fs'
import type { Checked } from '../../config/load.ts'
import { checkConfig, checkFile, systemSurroundings } from '../../config/load.ts'
import type { Config } from '../../config/options.ts'
import { planOverdue } from '../../health/overdue.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import { listSilent } from '../../store/health.ts'
import { listFailedSince, listOpenJobs, listServing, listStuck } from '../../store/inspection.ts'
import { countRows } from '../../store/repository.ts'
import type { Db } from '../../store/store.ts'
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import type { Processes } from '../../system/process.ts'
import { databaseIn } from '../serve/data-folder.ts'
import { checkAmphoraCertificates, checkCertificates } from './certificates.ts'
import { checkCloud, openServiceCloud, usesCloud } from './cloud.ts'
import { checkDataDirectory, openInspection } from './data-directory.ts'
import { type Finding, fail, isHealthy, look, ok, type Section, warn } from './finding.ts'
import { checkRows, FAILED_MS, type Rows } from './load-balancers.ts'
import { checkPrograms } from './programs.ts'
import { checkService } from './service.ts'

export interface CheckDeps {
  readonly clock: Clock
  readonly log: Log
  readonly processes: Processes
}

/** Whose load balancers are changed by jobs. */
export const JOB_PROVIDERS = ['amphora', 'octavia']
const SILENT_MAX = 1_000

export async function checkAll(deps: CheckDeps, file: string | null): Promise<readonly Section[]> {
  const checked = file === null ? checkConfig('', systemSurroundings()) : checkFile(file)
  const configuration = { title: 'configuration', findings: ofConfiguration(file, checked) }
  const { config } = checked
  if (config === null) return [configuration]
  const now = deps.clock.now()
  const service = await checkService(config)
  const cloud = usesCloud(config) ? await cloudFindings(deps, config, now) : []
  const sections = [
    configuration,
    { title: 'data directory', findings: await checkDataDirectory(config.DEFAULT.data_dir) },
    { title: 'service', findings: service },
    {
      title: 'certificates',
      // Without the directory there is one thing wrong, not five.
      findings: existsSync(config.DEFAULT.data_dir) ? await checkCertificates(config, now) : [],
    },
    { title: 'this machine', findings: await checkPrograms(config, deps.processes) },
    { title: 'cloud', findings: cloud },
    { title: 'load balancers', findings: await ofRows(config, now, isHealthy(service)) },
  ]
  return sections.filter(({ findings }) => findings.length > 0)
}

function ofConfiguration(file: string | null, { config, problems }: Checked): readonly Finding[] {
  const what = file ?? 'the built-in defaults'
  const told = problems.map(({ severity, line, message }) => {
    const at = line === null ? message : `line ${line}: ${message}`
    return severity === 'error' ? fail(what, at) : warn(what, at)
  })
  return config === null ? told : [ok(what, 'can be used'), ...told]
}

async function cloudFindings(
  deps: CheckDeps,
  config: Config,
  now: number,
): Promise<readonly Finding[]> {
  let findings: readonly Finding[] = []
  // Opening it reads files of certificates, which may be wrong.
  const opened = await look('cloud', async () => {
    findings = await checkCloud(config, openServiceCloud(deps, config), now)
    return ''
  })
  return opened.state === 'ok' ? findings : [opened]
}

/** What the section about the data directory has complained about is not told again. */
async function ofRows(config: Config, now: number, isServed: boolean): Promise<readonly Finding[]> {
  const path = databaseIn(config.DEFAULT.data_dir)
  if (!existsSync(path)) return []
  let findings: readonly Finding[] = []
  const opened = await look('rows', async () => {
    const inspection = openInspection(path)
    try {
      if (inspection.schema !== 'ours' || inspection.damage.length > 0) return ''
      const rows = await readRows(inspection.db, config, now)
      const certificates = checkAmphoraCertificates(rows.serving, {
        now,
        ...config.house_keeping,
      })
      findings = [certificates, ...checkRows(rows, now, isServed)]
      return ''
    } finally {
      inspection.close()
    }
  })
  return opened.state === 'ok' ? findings : [opened]
}

async function readRows(db: Db, { health_manager }: Config, now: number): Promise<Rows> {
  const heartbeat_timeout_ms = health_manager.heartbeat_timeout * 1000
  const silent = await listSilent(db, now - heartbeat_timeout_ms, SILENT_MAX)
  const overdue = planOverdue(silent, {
    now_ms: now,
    heartbeat_timeout_ms,
    failover_threshold: null,
  })
  return {
    failed: await listFailedSince(db, now - FAILED_MS),
    open: await listOpenJobs(db),
    stuck: await listStuck(db, JOB_PROVIDERS),
    inError: await countRows(db, loadBalancer, { provisioning_status: 'ERROR' }),
    silent: overdue.amphorae,
    serving: await listServing(db),
  }
}
