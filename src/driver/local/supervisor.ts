/**
 * PID 1 of an amphora: a shell which makes its part of the file system private, starts the agent
 * again whenever that ends, and reaps what others leave. It does nothing else, so that it does not
 * crash: haproxy lives as long as this process, not as long as the agent.
 *
 * It talks to whoever starts it in lines: `ready` once its process is on record, then it waits for
 * `go` (the network interfaces are there), then `started`. If standard input ends before `go`, it
 * ends as well: its starter is dead, and nobody would give it a network.
 */
export const READY = 'ready'
export const GO = 'go'
export const STARTED = 'started'

/** Log of the agent, in the amphora's folder. */
export const AGENT_LOG = 'agent.log'
/**
 * The line of /proc/<pid>/stat by which the supervisor is found again, then `started` once it was
 * let go.
 */
export const PROCESS_FILE = 'process'
/** Mount points for private folders, which must exist on the host. */
export const MOUNT_POINTS = ['/etc/octavia', '/var/lib/octavia'] as const

/**
 * Arguments: the amphora's folder, its host name, folders to cover by an empty one, the agent's
 * command.
 */
export const SUPERVISOR_SCRIPT = `#!/bin/sh
# PID 1 of an amphora of octavia-lite's local cloud. Written at every start of octavia-lite.
set -eu
folder=$1 name=$2 covered=$3
shift 3
trap 'exit 0' TERM
exec 2>>"$folder/${AGENT_LOG}"

# Before /proc is mounted anew this is our process as the host sees it.
read -r stat </proc/self/stat
printf '%s\\n' "$stat" >"$folder/${PROCESS_FILE}"
echo ${READY}

printf '%s\\n' "$name" >/proc/sys/kernel/hostname
mount --bind "$folder/etc" /etc/octavia
mount --bind "$folder/lib" /var/lib/octavia
for path in $covered; do
  mode=755
  [ "$path" != /tmp ] || mode=1777
  mkdir -p "$path"
  mount -t tmpfs -o "size=64m,mode=$mode" octavia-lite "$path"
done
mkdir -p /run/netns
mount -t sysfs sysfs /sys
mount -t proc proc /proc

read -r go || exit 1
echo ${STARTED} >>"$folder/${PROCESS_FILE}"
echo ${STARTED}
exec </dev/null >>"$folder/${AGENT_LOG}"
while :; do
  "$@" &
  wait "$!" || :
  # An agent which fails at once must not fill the disk with its complaints.
  [ "$(wc -c <"$folder/${AGENT_LOG}")" -le 1048576 ] || : >"$folder/${AGENT_LOG}"
  sleep 1 &
  wait "$!" || :
done
`

/**
 * The whole environment of an agent: nothing of ours, secrets and runtime switches above all,
 * reaches it.
 */
export const AGENT_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
} as const

/** The program which makes the namespaces and becomes the parent of the supervisor. */
export function supervisorArgv(supervisor: {
  readonly script: string
  readonly folder: string
  readonly hostname: string
  readonly covered: readonly string[]
  readonly agent_command: readonly string[]
}): string[] {
  const { script, folder, hostname, covered, agent_command } = supervisor
  // Slave: what the host unmounts goes here as well, so that we do not keep its namespaces busy.
  const namespaces = ['--net', '--mount', '--pid', '--uts', '--ipc', '--propagation', 'slave']
  return [
    ...['unshare', ...namespaces, '--fork', '/bin/sh', script, folder, hostname],
    ...[covered.join(' '), ...agent_command],
  ]
}

/**
 * /run and /tmp become the amphora's own, unless one of them holds what the amphora is run from;
 * /run/netns always does. `paths` are absolute and without symbolic links.
 */
export function foldersToCover(paths: readonly string[]): string[] {
  const holds = (folder: string): boolean => paths.some((path) => path.startsWith(`${folder}/`))
  return [holds('/run') ? '/run/netns' : '/run', ...(holds('/tmp') ? [] : ['/tmp'])]
}
