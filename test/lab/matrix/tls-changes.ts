/** Rows of the matrix: certificates that are renewed, and that go bad. */
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { expect } from 'vitest'
import { systemProcesses } from '../../../src/system/process.ts'
import { haproxyOf } from './haproxy.ts'
import { type MatrixRow, only, type Run, type Wish } from './row.ts'
import { tlsListener } from './tls.ts'
import { curl, handshake } from './tls-client.ts'
import { HOST, REF } from './tls-place.ts'

async function update(run: Run, at: number, listener: Wish): Promise<void> {
  await run.client.call('PUT', `listeners/${only(run, at).id}`, { listener })
  await run.client.active(run.load_balancer_id)
}

async function statusOf(run: Run, at: number): Promise<string> {
  const row = await run.client.call('GET', `listeners/${only(run, at).id}`)
  return `${row.provisioning_status} ${row.operating_status}`
}

async function jobErrors(run: Run): Promise<string> {
  const path = `../octavia-lite/jobs?load_balancer_id=${run.load_balancer_id}`
  const jobs = (await run.client.call('GET', path)) as unknown as readonly {
    error: string | null
  }[]
  return jobs.map((job) => job.error ?? '').join('\n')
}

/** Asks on new connections until told to stop; how many requests were answered and how many not. */
async function keepAsking(run: Run, signal: AbortSignal) {
  const counts = { answered: 0, failed: 0 }
  while (!signal.aborted) {
    const { status } = await curl(run)
    if (status === 200) counts.answered++
    else counts.failed++
  }
  return counts
}

const TMPFS = 0x0102_1994

export const tlsChangeRows: readonly MatrixRow[] = [
  {
    features: [249],
    shows: 'a certificate is renewed under traffic, by another reference or in its place',
    listeners: (place) => [tlsListener(place)],
    check: async (run) => {
      const end = new AbortController()
      const asking = keepAsking(run, end.signal)
      const certificates = [await shown(run)]
      await update(run, 0, { default_tls_container_ref: REF.renewed })
      certificates.push(await shown(run))
      run.place.tls.store(REF.renewed, run.place.tls.issue(HOST.main))
      await update(run, 0, { name: 'renewed' })
      certificates.push(await shown(run))
      end.abort()
      const { answered, failed } = await asking
      expect(new Set(certificates).size).toBe(3)
      expect(failed).toBe(0)
      expect(answered).toBeGreaterThan(3)
    },
  },
  {
    features: [249, 210],
    shows: 'keys are in the memory of the amphora, readable by root alone, and go when unused',
    listeners: (place) => [tlsListener(place, { sni_container_refs: [REF.sni] })],
    check: async (run) => {
      const root = `${await haproxyOf(run)}/root`
      const folder = `${root}/var/lib/octavia/certs/${run.load_balancer_id}`
      expect(statfsSync(folder).type).toBe(TMPFS)
      const list = (): string[] => readdirSync(folder).sort()
      const before = list()
      for (const name of before) expect(statSync(`${folder}/${name}`).mode & 0o777).toBe(0o600)
      const path = `${folder}/${only(run).id}.pem`
      expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2)
      const own = run.place.tls.issue('own.example')
      run.place.tls.store('own', own)
      await update(run, 0, { sni_container_refs: [REF.sni, 'own'] })
      expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(3)
      expect(list()).toHaveLength(before.length + 1)
      await update(run, 0, { sni_container_refs: [REF.sni] })
      expect(list()).toEqual(before)
      // Nothing of it is in a file of the host.
      const key = own.key.split('\n')[1] ?? ''
      const { code } = await systemProcesses.run(['grep', '-rqF', key, `${run.folder}/data/cloud`])
      expect(code).toBe(1)
    },
  },
  {
    features: [249],
    shows: 'a certificate that goes bad takes its listener alone, and says why; then it heals',
    listeners: (place) => [
      tlsListener(place, { default_tls_container_ref: REF.perishable }),
      tlsListener(place),
    ],
    check: async (run) => {
      const { tls } = run.place
      tls.store(REF.perishable, undefined)
      await update(run, 0, { name: 'without' })
      expect(await statusOf(run, 0)).toBe('ERROR ERROR')
      expect((await curl(run)).status).toBe(0)
      expect((await curl(run, {}, only(run, 1))).status).toBe(200)
      expect(await jobErrors(run)).toContain(
        `listener ${only(run).id} is not served: the certificate perishable is not there`,
      )
      tls.store(REF.perishable, { ...tls.issue(HOST.main), key: tls.issue(HOST.main).key })
      await update(run, 0, { name: 'mismatched' })
      expect(await statusOf(run, 0)).toMatch(/^ERROR/)
      expect(await jobErrors(run)).toContain(
        'the certificate perishable has a private key of another certificate',
      )
      expect(await jobErrors(run)).not.toContain('BEGIN')
      tls.store(REF.perishable, tls.issueWeak(HOST.main))
      await update(run, 0, { name: 'weak' })
      expect(await statusOf(run, 0)).toMatch(/^ERROR/)
      expect((await curl(run, {}, only(run, 1))).status).toBe(200)
      expect(await jobErrors(run)).toContain('the certificate perishable is too weak for haproxy')
      tls.store(REF.perishable, tls.issue(HOST.main))
      await update(run, 0, { name: 'whole' })
      expect(await statusOf(run, 0)).toMatch(/^ACTIVE/)
      expect((await curl(run)).status).toBe(200)
    },
  },
]

async function shown(run: Run): Promise<string> {
  return (await handshake(run)).certificate
}
