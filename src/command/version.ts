import { type Command, EXIT } from './io.ts'

/** Both are replaced when the executable is built; from source they are not defined. */
declare const APP_VERSION: string
declare const GIT_SHA: string

export function versionText(): string {
  const version = typeof APP_VERSION === 'undefined' ? '0.0.0-source' : APP_VERSION
  const commit = typeof GIT_SHA === 'undefined' ? 'unknown' : GIT_SHA
  return `octavia-lite ${version} (${commit}, ${process.platform}-${process.arch}, Bun ${Bun.version})`
}

export const command: Command = {
  summary: 'print the version',
  help: 'usage: octavia-lite version\n\nPrints version, commit, platform and the version of Bun inside.\n',
  async run(_args, io) {
    io.out(`${versionText()}\n`)
    return EXIT.ok
  },
}
