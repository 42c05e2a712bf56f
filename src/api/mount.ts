/** Several applications under one port, each below its own path. */
import type { App } from './app.ts'

/** Requests below a prefix (`/identity`) go to its application, all others to `main`. */
export function mountApps(main: App, mounted: Readonly<Record<string, App>>): App {
  const apps = Object.entries(mounted)
  return {
    handle: (request, peer) => {
      // The URL is absolute: its path begins behind the host.
      const from = request.url.indexOf('/', request.url.indexOf('//') + 2)
      const found = apps.find(([prefix]) => isBelow(request.url, from, prefix))
      return (found?.[1] ?? main).handle(request, peer)
    },
  }
}

function isBelow(url: string, from: number, prefix: string): boolean {
  if (!url.startsWith(prefix, from)) return false
  const next = url[from + prefix.length]
  return next === undefined || next === '/' || next === '?'
}
