/**
 * What keepalived asks every few seconds: whether this amphora can serve. Upstream starts a Python
 * program for it, and ours would have to start this whole executable; so it is a script of the
 * shell's own commands which looks at processes, and at what the agent, which asks haproxy itself
 * every second, left as a file. The agent may be dead meanwhile: then haproxy counts as long as it
 * runs.
 */

/** Runs every check there is; the exit code is how many failed. */
export function renderCheckScript(folder: string): string {
  return `#!/bin/sh
status=0
for check in ${quoted(folder)}/*.sh; do
  [ -f "$check" ] || continue
  sh "$check" || status=$((status + 1))
done
exit "$status"
`
}

/** `alive <pid file> <program>`: whether the process of the file is there and is the program. */
const ALIVE = `alive() {
  { read -r pid <"$1" && read -r name <"/proc/$pid/comm"; } 2>/dev/null && [ "$name" = "$2" ]
}
`

/**
 * Fails when a haproxy that should serve does not run or does not answer. Without a load balancer
 * nothing is missing.
 */
export function renderHaproxyCheck(base: string): string {
  return `${ALIVE}for config in ${quoted(base)}/*/haproxy.cfg; do
  folder=\${config%/*}
  [ -f "$config" ] && [ ! -e "$folder/stopped" ] || continue
  [ ! -e "$folder/unresponsive" ] && alive "$folder/master.pid" haproxy || exit 1
done
`
}

/** Fails when a keepalived that balances datagrams has died. */
export function renderLvsCheck(base: string): string {
  return `${ALIVE}for file in ${quoted(base)}/lvs/octavia-keepalivedlvs-*.pid; do
  [ ! -f "$file" ] || alive "$file" keepalived || exit 1
done
`
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`
}
