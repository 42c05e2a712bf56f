/**
 * Stands in for the agent where only the local cloud is under test. Says on 9443 who it is and what
 * it sees; `crash` ends it. At its first start it starts a long-lived child, as the agent does with
 * haproxy.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'

const CHILD = '/run/child'

if (!existsSync(CHILD)) {
  const child = spawn('sleep', ['infinity'], { detached: true, stdio: 'ignore' })
  child.unref()
  writeFileSync(CHILD, String(child.pid))
}

function report(): object {
  return {
    hostname: hostname(),
    pid: process.pid,
    parent: process.ppid,
    child: readFileSync(CHILD, 'utf8'),
    childAlive: existsSync(`/proc/${readFileSync(CHILD, 'utf8')}/stat`),
    processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
    settings: readFileSync('/etc/octavia/amphora-agent.conf', 'utf8'),
    mode: (statSync('/etc/octavia/amphora-agent.conf').mode & 0o777).toString(8),
    kept: existsSync('/var/lib/octavia/kept'),
    namespaces: readdirSync('/run/netns'),
    temporary: readdirSync('/tmp'),
    environment: Object.keys(process.env).sort(),
    macs: readdirSync('/sys/class/net').map((name) =>
      readFileSync(`/sys/class/net/${name}/address`, 'utf8').trim(),
    ),
    addresses: Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).map(({ address }) => address),
    ),
  }
}

createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', (data) => {
    const word = String(data).trim()
    if (word === 'crash') process.kill(process.pid, 'SIGKILL')
    if (word === 'keep') writeFileSync('/var/lib/octavia/kept', '')
    socket.end(JSON.stringify(report()))
  })
}).listen(9443, '::')
