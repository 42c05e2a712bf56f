import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CertificateStore, usedFiles, withoutMissing } from '../../src/agent/certificates.ts'
import { createFixture, LB } from './fixture.ts'

const FOLDER = `/certs/${LB}`
const CONFIG = `global
    daemon

frontend tls
    bind 10.0.0.1:443 ssl crt-list ${FOLDER}/tls.pem ca-file ${FOLDER}/ca.pem verify none

backend pool:tls
    server m 10.0.0.2:80

frontend plain
    bind 10.0.0.1:80

backend pool:plain
    server m 10.0.0.2:80

frontend by-tls
    bind 10.0.0.1:81

backend pool:by-tls
    server m 10.0.0.2:443 ssl crt ${FOLDER}/client.pem verify none
`
const FILES: Readonly<Record<string, string>> = {
  'tls.pem': `${FOLDER}/1.pem\n${FOLDER}/2.pem\n`,
  'ca.pem': 'CA',
  'client.pem': 'client',
  '1.pem': '1',
  '2.pem': '2',
}
const reading = (files: Readonly<Record<string, string>>) => (name: string) => files[name]

test('a configuration uses what it names, and what its lists name', () => {
  const used = usedFiles(CONFIG, FOLDER, reading(FILES))
  expect([...used].sort()).toEqual(Object.keys(FILES).sort())
})

test.each([
  ['1.pem', ['plain', 'by-tls']],
  ['tls.pem', ['plain', 'by-tls']],
  ['ca.pem', ['plain', 'by-tls']],
  ['client.pem', ['tls', 'plain']],
] as const)('without %s all other listeners are served', (missing, served) => {
  const { [missing]: _, ...files } = FILES
  const left = withoutMissing(CONFIG, FOLDER, reading(files)) ?? ''
  expect([...left.matchAll(/^frontend (.*)$/gm)].map(([, name]) => name)).toEqual([...served])
  expect([...left.matchAll(/^backend pool:(.*)$/gm)].map(([, name]) => name)).toEqual([...served])
  expect(left.startsWith('global\n    daemon\n')).toBe(true)
})

test('nothing is cut out where all is there, or where nothing would be left', () => {
  expect(withoutMissing(CONFIG, FOLDER, reading(FILES))).toBeUndefined()
  const alone = CONFIG.slice(0, CONFIG.indexOf('frontend plain'))
  expect(withoutMissing(alone, FOLDER, reading({}))).toBeUndefined()
})

test('certificates are in memory, readable by nobody else, and removed when unused', async () => {
  const { processes, paths, calls } = createFixture()
  const store = new CertificateStore({ processes, paths })
  expect(await store.write(LB, 'a.pem', 'a')).toBe(true)
  expect(await store.write(LB, 'a.pem', 'a')).toBe(false)
  const folder = paths.certificates(LB)
  expect(statSync(`${folder}/a.pem`).mode & 0o777).toBe(0o600)
  expect(calls[0]?.slice(0, 3)).toEqual(['mount', '-t', 'tmpfs'])
  expect(calls[0]?.at(-1)).toBe(paths.allCertificates)
  await store.write(LB, 'b.pem', 'b')
  store.prune(LB, `bind :443 ssl crt ${folder}/b.pem\n`)
  expect(readdirSync(folder)).toEqual(['b.pem'])
})

test('a key is not written where there is no memory for it', async () => {
  const { processes, paths, behaviour } = createFixture()
  behaviour.startCode = 1
  mkdirSync(paths.allCertificates, { recursive: true })
  writeFileSync(`${paths.allCertificates}/there`, '')
  const store = new CertificateStore({ processes, paths })
  await expect(store.write(LB, 'a.pem', 'a')).rejects.toThrow('no file system in memory')
  expect(readdirSync(paths.allCertificates)).toEqual(['there'])
})
