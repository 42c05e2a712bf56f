/** `octavia-lite secret`: certificates and other secrets, here or in Barbican. */
import { readCertificate } from '../driver/read-certificate.ts'
import { systemClock } from '../system/clock.ts'
import { dataFolder } from './client/command.ts'
import { flag, textOption, usage } from './client/option.ts'
import { type Input, parseWords } from './client/parse.ts'
import { CONNECTION_OPTIONS } from './client/verb.ts'
import { type Fetch, openCloud } from './cloud-login.ts'
import { type Command, CommandFailure, EXIT, type Exit, type Io, table } from './io.ts'
import { type Kept, KeyManager } from './secret/key-manager.ts'
import { expiryNote, readBundle } from './secret/material.ts'
import { rekeySecrets } from './secret/rekey.ts'

const HELP = `usage: octavia-lite secret store --name NAME --certificate FILE --private-key FILE
                         [--intermediates FILE] [--passphrase-file FILE] [--json]
       octavia-lite secret store --name NAME --pkcs12 FILE | --file FILE [--json]
       octavia-lite secret list [--json]
       octavia-lite secret show NAME-OR-REF [--certificate | --private-key] [--json]
       octavia-lite secret delete NAME-OR-REF
       octavia-lite secret rekey [--config-file FILE]

store prints the reference to paste:

  octavia-lite listener create --protocol TERMINATED_HTTPS --protocol-port 443 \\
    --default-tls-container-ref $(octavia-lite secret store --name web \\
      --certificate fullchain.pem --private-key privkey.pem) LOADBALANCER

The files are checked before anything is sent. FILE can be - for the standard input. What is in
use by a listener or pool is not deleted. It logs in as all client commands do (OS_CLOUD, OS_*
variables, --os-... options), and talks to the built-in store or to Barbican. Secrets belong to
the project of the login.

  --certificate FILE    PEM; the chain may be in it, as certbot's fullchain.pem has it
  --private-key FILE    PEM, of the certificate
  --intermediates FILE  the chain, PEM or PKCS#7, in any order
  --passphrase-file F   holds the passphrase of the private key
  --pkcs12 FILE         certificate, key and chain in one, without a password
  --file FILE           a CA or a revocation list, PEM
  --certificate         show: print the certificate, PEM
  --private-key         show: print the private key, PEM
  --json                print JSON

rekey makes a new key for the built-in store of this machine and seals every secret anew with it;
serve may run meanwhile.
`

const FILES = ['certificate', 'private-key', 'intermediates', 'passphrase-file', 'pkcs12', 'file']
const JSON_FLAG = flag('json', 'Print JSON.')

interface Verb {
  readonly options: Parameters<typeof parseWords>[1]['options']
  readonly positionals: readonly string[]
  run(keys: KeyManager, input: Input, io: Io): Promise<void>
}

const VERBS: Readonly<Record<string, Verb>> = {
  store: {
    options: [
      textOption('name', 'Its name.', { required: true }),
      ...FILES.map((name) => textOption(name, 'A file.')),
    ],
    positionals: [],
    run: store,
  },
  list: { options: [], positionals: [], run: list },
  show: {
    options: [
      flag('certificate', 'Print the certificate.', { group: 'print' }),
      flag('private-key', 'Print the private key.', { group: 'print' }),
    ],
    positionals: ['name or reference'],
    run: show,
  },
  delete: {
    options: [],
    positionals: ['name or reference'],
    run: async (keys, { positionals: [given = ''] }) => keys.delete(await keys.find(given)),
  },
}

export function secretCommand(send: Fetch = fetch): Command {
  return {
    summary: 'store, list, show, delete certificates and other secrets; rekey',
    help: HELP,
    run: async (args, io) => {
      const [name = '', ...words] = args
      if (name === 'rekey') return await rekeySecrets(words, io)
      const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
      if (verb === undefined)
        throw usage('secret takes store, list, show, delete or rekey; see --help')
      return await runVerb(verb, words, io, send)
    },
  }
}

export const command = secretCommand()

async function runVerb(verb: Verb, words: readonly string[], io: Io, send: Fetch): Promise<Exit> {
  const options = [...verb.options, JSON_FLAG, ...CONNECTION_OPTIONS]
  const input = parseWords(words, { options, positionals: verb.positionals })
  const cloud = await openCloud(io.env, { flags: input.values, ...dataFolder() }, send)
  await verb.run(new KeyManager(cloud), input, io)
  return EXIT.ok
}

async function store(keys: KeyManager, { values }: Input, io: Io): Promise<void> {
  const name = String(values.get('name'))
  const { parts, single, valid_until_ms } = readBundle(values)
  const stored = new Map<string, string>()
  let ref = ''
  try {
    for (const [part, secret] of parts) {
      ref = await keys.storeSecret({ ...secret, name: part === '' ? name : `${name} ${part}` })
      stored.set(part, ref)
    }
    if (!single) ref = await keys.storeCertificate(name, stored)
  } catch (error) {
    // Half a certificate is of no use to anybody.
    await keys.discard(stored.values())
    throw error
  }
  const note = expiryNote(valid_until_ms, systemClock.now())
  if (note !== undefined) io.err(`octavia-lite: ${note}\n`)
  const expires = new Date(valid_until_ms).toISOString()
  if (values.get('json') === true) io.out(`${JSON.stringify({ name, ref, expires }, null, 2)}\n`)
  else io.out(`${ref}\n`)
}

async function list(keys: KeyManager, { values }: Input, io: Io): Promise<void> {
  const found = await keys.list()
  if (values.get('json') === true) {
    const shown = found.map(({ name, type, created, ref }) => ({ name, type, created, ref }))
    io.out(`${JSON.stringify(shown, null, 2)}\n`)
    return
  }
  const rows = found.map(({ name, type, created, ref }) => [name, type, created.slice(0, 19), ref])
  io.out(table([['name', 'type', 'created', 'reference'], ...rows]))
}

async function show(keys: KeyManager, input: Input, io: Io): Promise<void> {
  const kept = await keys.find(input.positionals[0] ?? '')
  const wanted = ['certificate', 'private-key'].find((each) => input.values.get(each) === true)
  if (wanted !== undefined) {
    io.out(await pemOf(keys, kept, wanted))
    return
  }
  const users = await keys.users(kept)
  const { name, ref, type, created, parts } = kept
  if (input.values.get('json') === true) {
    const shown = { name, ref, type, created, parts: [...parts.keys()], used_by: users }
    io.out(`${JSON.stringify(shown, null, 2)}\n`)
    return
  }
  const rows = [
    ['name', name],
    ['reference', ref],
    ['type', type],
    ['created', created.slice(0, 19)],
    ...(parts.size === 0 ? [] : [['parts', [...parts.keys()].join(', ')]]),
    ['used by', users.length === 0 ? '-' : users.join(', ')],
  ]
  io.out(table(rows))
}

/** The blocks of that kind in what was stored. */
async function pemOf(keys: KeyManager, kept: Kept, wanted: string): Promise<string> {
  const isKey = wanted === 'private-key'
  const part = kept.parts.get(isKey ? 'private_key' : 'certificate')
  const content = await keys.payload(part ?? kept.ref)
  if (content === null)
    throw new CommandFailure(`the ${wanted} of '${kept.name}' is not there, or may not be read`)
  const reading = readCertificate({ form: 'pkcs12', content })
  const text = reading.ok ? reading.pem : Buffer.from(content).toString('utf8')
  const kind = isKey ? /KEY-/ : /BEGIN (?!.*KEY-)/
  const blocks = text.match(/-----BEGIN ([^-]+)-----[^-]+-----END \1-----/g) ?? []
  const found = blocks.filter((block) => kind.test(block.split('\n', 1)[0] ?? ''))
  if (found.length > 0) return `${found.join('\n')}\n`
  throw new CommandFailure(`there is no ${wanted} in '${kept.name}'`)
}
