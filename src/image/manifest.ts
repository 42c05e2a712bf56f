/**
 * Which package in which version an image is made of: the image has no database of packages, so
 * this is what a scanner for vulnerabilities reads. Pure.
 */
export interface Package {
  readonly name: string
  readonly version: string
  readonly architecture: string
}

/** From the names of archives, `haproxy_2.6.12-1+deb12u3_amd64.deb`, in which `%3a` is a colon. */
export function parseArchiveNames(names: readonly string[]): readonly Package[] {
  return names
    .flatMap((file) => {
      const found = /^([^_]+)_([^_]+)_([^_]+)\.deb$/.exec(file)
      const [, name, version, architecture] = found ?? []
      if (name === undefined || version === undefined || architecture === undefined) return []
      return [{ name, version: decodeURIComponent(version), architecture }]
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** One line per package: name, version, architecture, separated by tabs; first what made it. */
export function printManifest(maker: string, packages: readonly Package[]): string {
  const lines = packages.map(({ name, version, architecture }) =>
    [name, version, architecture].join('\t'),
  )
  return `${[maker, ...lines].join('\n')}\n`
}
