/** The beginning of the names of proxies which are none of the user's. */
export const INTERNAL = 'prometheus-exporter-internal'

export function isInternalProxy(name: string): boolean {
  return name.startsWith(INTERNAL)
}
