#!/usr/bin/env node
/**
 * What `npm run ...` and `npm test` do. Each works as the first command in a fresh clone: it
 * installs what is missing, or says what to type.
 */
import { build, buildIfOld } from './build.mjs'
import { installPackages, installPrograms } from './install.mjs'
import { Failure, run, say } from './say.mjs'
import { bench, check, conformance, format, fuzz, testAll, testLab } from './test.mjs'

const COMMANDS = {
  demo: async (args) => {
    await prepare({ testing: false })
    if (process.getuid() !== 0)
      throw new Failure(
        'the demo makes network namespaces, which needs root; type:\n  sudo npm run demo',
      )
    const binary = await buildIfOld()
    return (await run([binary, 'demo', ...args])) === 0
  },
  test: async (args) => {
    await prepare({ testing: true })
    return await testAll(args)
  },
  lab: async (args) => {
    await prepare({ testing: true })
    await buildIfOld()
    return await testLab(args)
  },
  bench: async (args) => {
    await prepare({ testing: true })
    await buildIfOld()
    return await bench(args)
  },
  fuzz: async (args) => {
    await installPackages()
    return await fuzz(args)
  },
  conformance: async (args) => {
    await installPackages()
    return await conformance(args)
  },
  check: async () => {
    await installPackages()
    return await check()
  },
  format: async () => {
    await installPackages()
    return await format()
  },
  build: async (args) => {
    await installPackages()
    await build(args)
    return true
  },
}

/** Programs first: without root that ends here, before anything is downloaded. */
async function prepare(needs) {
  await installPrograms(needs)
  await installPackages()
}

async function main([name = '', ...args]) {
  if (process.platform !== 'linux') throw new Failure('octavia-lite is made for Linux')
  if (Number(process.versions.node.split('.')[0]) < 18)
    throw new Failure(`Node.js 18 or later is needed; this is ${process.versions.node}`)
  if (!Object.hasOwn(COMMANDS, name))
    throw new Failure(`usage: npm run ${Object.keys(COMMANDS).join('|')}`)
  return await COMMANDS[name](args)
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1
} catch (error) {
  if (!(error instanceof Failure)) throw error
  say(error.message)
  process.exitCode = 1
}
