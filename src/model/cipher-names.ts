/**
 * Strings of ciphers as OpenSSL 1.1 and 3 read them. Its ciphers of TLS 1.2 and before, as
 * `openssl ciphers ALL:COMPLEMENTOFALL` prints them, and which of its words mean which. Pure.
 */
const NAMES = `
ADH-AES128-GCM-SHA256 ADH-AES128-SHA ADH-AES128-SHA256 ADH-AES256-GCM-SHA384 ADH-AES256-SHA
ADH-AES256-SHA256 ADH-CAMELLIA128-SHA ADH-CAMELLIA128-SHA256 ADH-CAMELLIA256-SHA
ADH-CAMELLIA256-SHA256 AECDH-AES128-SHA AECDH-AES256-SHA AECDH-NULL-SHA AES128-CCM AES128-CCM8
AES128-GCM-SHA256 AES128-SHA AES128-SHA256 AES256-CCM AES256-CCM8 AES256-GCM-SHA384 AES256-SHA
AES256-SHA256 ARIA128-GCM-SHA256 ARIA256-GCM-SHA384 CAMELLIA128-SHA CAMELLIA128-SHA256
CAMELLIA256-SHA CAMELLIA256-SHA256 DHE-DSS-AES128-GCM-SHA256 DHE-DSS-AES128-SHA
DHE-DSS-AES128-SHA256 DHE-DSS-AES256-GCM-SHA384 DHE-DSS-AES256-SHA DHE-DSS-AES256-SHA256
DHE-DSS-ARIA128-GCM-SHA256 DHE-DSS-ARIA256-GCM-SHA384 DHE-DSS-CAMELLIA128-SHA
DHE-DSS-CAMELLIA128-SHA256 DHE-DSS-CAMELLIA256-SHA DHE-DSS-CAMELLIA256-SHA256
DHE-PSK-AES128-CBC-SHA DHE-PSK-AES128-CBC-SHA256 DHE-PSK-AES128-CCM DHE-PSK-AES128-CCM8
DHE-PSK-AES128-GCM-SHA256 DHE-PSK-AES256-CBC-SHA DHE-PSK-AES256-CBC-SHA384 DHE-PSK-AES256-CCM
DHE-PSK-AES256-CCM8 DHE-PSK-AES256-GCM-SHA384 DHE-PSK-ARIA128-GCM-SHA256
DHE-PSK-ARIA256-GCM-SHA384 DHE-PSK-CAMELLIA128-SHA256 DHE-PSK-CAMELLIA256-SHA384
DHE-PSK-CHACHA20-POLY1305 DHE-PSK-NULL-SHA DHE-PSK-NULL-SHA256 DHE-PSK-NULL-SHA384
DHE-RSA-AES128-CCM DHE-RSA-AES128-CCM8 DHE-RSA-AES128-GCM-SHA256 DHE-RSA-AES128-SHA
DHE-RSA-AES128-SHA256 DHE-RSA-AES256-CCM DHE-RSA-AES256-CCM8 DHE-RSA-AES256-GCM-SHA384
DHE-RSA-AES256-SHA DHE-RSA-AES256-SHA256 DHE-RSA-ARIA128-GCM-SHA256 DHE-RSA-ARIA256-GCM-SHA384
DHE-RSA-CAMELLIA128-SHA DHE-RSA-CAMELLIA128-SHA256 DHE-RSA-CAMELLIA256-SHA
DHE-RSA-CAMELLIA256-SHA256 DHE-RSA-CHACHA20-POLY1305 ECDHE-ARIA128-GCM-SHA256
ECDHE-ARIA256-GCM-SHA384 ECDHE-ECDSA-AES128-CCM ECDHE-ECDSA-AES128-CCM8
ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-AES128-SHA256
ECDHE-ECDSA-AES256-CCM ECDHE-ECDSA-AES256-CCM8 ECDHE-ECDSA-AES256-GCM-SHA384
ECDHE-ECDSA-AES256-SHA ECDHE-ECDSA-AES256-SHA384 ECDHE-ECDSA-ARIA128-GCM-SHA256
ECDHE-ECDSA-ARIA256-GCM-SHA384 ECDHE-ECDSA-CAMELLIA128-SHA256 ECDHE-ECDSA-CAMELLIA256-SHA384
ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-ECDSA-NULL-SHA ECDHE-PSK-AES128-CBC-SHA
ECDHE-PSK-AES128-CBC-SHA256 ECDHE-PSK-AES256-CBC-SHA ECDHE-PSK-AES256-CBC-SHA384
ECDHE-PSK-CAMELLIA128-SHA256 ECDHE-PSK-CAMELLIA256-SHA384 ECDHE-PSK-CHACHA20-POLY1305
ECDHE-PSK-NULL-SHA ECDHE-PSK-NULL-SHA256 ECDHE-PSK-NULL-SHA384 ECDHE-RSA-AES128-GCM-SHA256
ECDHE-RSA-AES128-SHA ECDHE-RSA-AES128-SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-SHA
ECDHE-RSA-AES256-SHA384 ECDHE-RSA-CAMELLIA128-SHA256 ECDHE-RSA-CAMELLIA256-SHA384
ECDHE-RSA-CHACHA20-POLY1305 ECDHE-RSA-NULL-SHA NULL-MD5 NULL-SHA NULL-SHA256 PSK-AES128-CBC-SHA
PSK-AES128-CBC-SHA256 PSK-AES128-CCM PSK-AES128-CCM8 PSK-AES128-GCM-SHA256 PSK-AES256-CBC-SHA
PSK-AES256-CBC-SHA384 PSK-AES256-CCM PSK-AES256-CCM8 PSK-AES256-GCM-SHA384
PSK-ARIA128-GCM-SHA256 PSK-ARIA256-GCM-SHA384 PSK-CAMELLIA128-SHA256 PSK-CAMELLIA256-SHA384
PSK-CHACHA20-POLY1305 PSK-NULL-SHA PSK-NULL-SHA256 PSK-NULL-SHA384 RSA-PSK-AES128-CBC-SHA
RSA-PSK-AES128-CBC-SHA256 RSA-PSK-AES128-GCM-SHA256 RSA-PSK-AES256-CBC-SHA
RSA-PSK-AES256-CBC-SHA384 RSA-PSK-AES256-GCM-SHA384 RSA-PSK-ARIA128-GCM-SHA256
RSA-PSK-ARIA256-GCM-SHA384 RSA-PSK-CAMELLIA128-SHA256 RSA-PSK-CAMELLIA256-SHA384
RSA-PSK-CHACHA20-POLY1305 RSA-PSK-NULL-SHA RSA-PSK-NULL-SHA256 RSA-PSK-NULL-SHA384
SRP-AES-128-CBC-SHA SRP-AES-256-CBC-SHA SRP-DSS-AES-128-CBC-SHA SRP-DSS-AES-256-CBC-SHA
SRP-RSA-AES-128-CBC-SHA SRP-RSA-AES-256-CBC-SHA`

/** By how a name begins, longer ones first: how keys are agreed on, and who proves what. */
const AGREEMENTS = [
  ['ADH-', 'kDHE kEDH DH ADH aNULL'],
  ['AECDH-', 'kECDHE kEECDH ECDH AECDH aNULL'],
  ['DHE-DSS-', 'kDHE kEDH DH DHE EDH aDSS DSS'],
  ['DHE-PSK-', 'kDHEPSK PSK aPSK'],
  ['DHE-RSA-', 'kDHE kEDH DH DHE EDH aRSA'],
  ['ECDHE-ECDSA-', 'kECDHE kEECDH ECDH ECDHE EECDH aECDSA ECDSA'],
  ['ECDHE-PSK-', 'kECDHEPSK PSK aPSK'],
  ['ECDHE-RSA-', 'kECDHE kEECDH ECDH ECDHE EECDH aRSA'],
  ['ECDHE-', 'kECDHE kEECDH ECDH ECDHE EECDH aRSA'],
  ['RSA-PSK-', 'kRSAPSK PSK aRSA'],
  ['PSK-', 'kPSK PSK aPSK'],
  ['SRP-DSS-', 'kSRP SRP aDSS DSS'],
  ['SRP-RSA-', 'kSRP SRP aRSA'],
  ['SRP-', 'kSRP SRP aSRP'],
  ['', 'kRSA RSA aRSA'],
] as const
/** By what the rest of a name has in it: words for the cipher, its mode and its hash. */
const PROTECTIONS = [
  [/^NULL/, 'eNULL NULL COMPLEMENTOFALL'],
  [/^(?!NULL)/, 'ALL HIGH'],
  [/^AES-?128/, 'AES128 AES'],
  [/^AES-?256/, 'AES256 AES'],
  [/^AES.*GCM/, 'AESGCM'],
  [/CCM/, 'AESCCM'],
  [/CCM8/, 'AESCCM8'],
  [/^ARIA/, 'ARIA ARIAGCM'],
  [/^ARIA128/, 'ARIA128'],
  [/^ARIA256/, 'ARIA256'],
  [/^CAMELLIA/, 'CAMELLIA'],
  [/^CAMELLIA128/, 'CAMELLIA128'],
  [/^CAMELLIA256/, 'CAMELLIA256'],
  [/^CHACHA20/, 'CHACHA20'],
  [/^(AES|CAMELLIA)(?!.*(GCM|CCM))/, 'CBC'],
  [/MD5$/, 'MD5'],
  [/SHA$/, 'SHA1 SHA'],
  [/^(?!.*GCM).*SHA256$/, 'SHA256'],
  [/^(?!.*GCM).*SHA384$/, 'SHA384'],
] as const

const TLS13_CIPHERS: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_CCM_SHA256',
  'TLS_AES_128_CCM_8_SHA256',
]

/**
 * The cipher of TLS 1.3 that a configuration gives to `ciphersuites`; undefined for any other
 * word. Clients also have the names that OpenSSL gave to them before 1.1.1:
 * `TLS13-CHACHA20-POLY1305-SHA256`.
 */
export function tls13Cipher(word: string): string | undefined {
  const name = word.startsWith('TLS13-') ? word.replace('TLS13', 'TLS').replaceAll('-', '_') : word
  return TLS13_CIPHERS.includes(name) ? name : undefined
}

/** By cipher, what selects it. */
const CIPHERS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  NAMES.trim()
    .split(/\s+/)
    .map((name) => [name, wordsFor(name)]),
)

function wordsFor(name: string): ReadonlySet<string> {
  const [start, agreement] = AGREEMENTS.find(([each]) => name.startsWith(each)) ?? ['', '']
  const rest = name.slice(start.length)
  const protections = PROTECTIONS.flatMap(([form, words]) => (form.test(rest) ? words : []))
  const words = new Set([name, agreement, ...protections].join(' ').split(' '))
  const has = (...any: readonly string[]): boolean => any.some((word) => words.has(word))
  if (has('ALL') && has('DSS', 'AESCCM', 'ARIA', 'CAMELLIA', 'aNULL'))
    words.add('COMPLEMENTOFDEFAULT')
  if (has('AES') && !has('AESCCM', 'SRP')) words.add('FIPS')
  for (const word of versionWords(has, rest)) words.add(word)
  return words
}

/** The oldest version that has it. */
function versionWords(
  has: (...any: readonly string[]) => boolean,
  rest: string,
): readonly string[] {
  const newer = has('SHA256', 'SHA384')
  if (/GCM|CCM|POLY1305/.test(rest) || (newer && !has('PSK'))) return ['TLSv1.2']
  return newer || has('kECDHE', 'kECDHEPSK') ? ['TLSv1', 'TLSv1.0'] : ['SSLv3']
}

/** What the word stands for at the start of a string; elsewhere it means nothing. */
const DEFAULT = 'ALL:!COMPLEMENTOFDEFAULT:!eNULL'
const ELEMENT = /^$|^([!+-]?)([A-Za-z0-9.=-][A-Za-z0-9.=_-]*(?:\+[A-Za-z0-9.=_-]+)*)$/
const COMMAND = /^(STRENGTH|SECLEVEL=[0-5])$/

/**
 * Why OpenSSL will not take a string of ciphers; undefined when it is right. It goes through the
 * string as OpenSSL does, so that what is taken away again does not count. haproxy in the amphora,
 * which may have another version of it, has the last word.
 */
export function cipherFault(text: string): string | undefined {
  const whole = text.replace(/^DEFAULT:?/, `${DEFAULT}:`)
  const elements = whole.split(':').filter((each) => each !== '' && tls13Cipher(each) === undefined)
  const names: string[] = []
  for (const element of elements) {
    const [name = '', ...commands] = element.split('@')
    const wrong = commands.find((command) => !COMMAND.test(command))
    if (wrong !== undefined) return `@${wrong} is not understood`
    if (!ELEMENT.test(name)) return `${name} is not understood`
    names.push(name)
  }
  if (elements.length === 0 || isAnyLeft(names)) return undefined
  if (names.some((name) => /^[^!-]/.test(name) && selected(name).length > 0))
    return 'it takes away all that it names'
  return `none of these is known: ${names.join(', ')}`
}

/** Ciphers by words with `+` between: those that all of them select. */
function selected(words: string): readonly string[] {
  const all = words.split('+')
  return [...CIPHERS].flatMap(([name, own]) => (all.every((word) => own.has(word)) ? name : []))
}

function isAnyLeft(elements: readonly string[]): boolean {
  const left = new Set<string>()
  const killed = new Set<string>()
  // A suite of its own, and nothing after it counts.
  if (/^SUITEB(128|192)/.test(elements[0] ?? '')) return true
  for (const element of elements) {
    const [, sign = '', words = ''] = ELEMENT.exec(element) ?? []
    for (const name of selected(words)) {
      if (sign === '' && !killed.has(name)) left.add(name)
      if (sign === '-' || sign === '!') left.delete(name)
      if (sign === '!') killed.add(name)
    }
  }
  return left.size > 0
}
