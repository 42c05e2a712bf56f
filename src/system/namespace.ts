/**
 * Sockets in another network namespace than the process. Only this thread changes over, and only
 * while `body` runs, so it must make its sockets before it returns: Bun.connect, Bun.serve and
 * Bun.udpSocket do, fetch and node:net do not. Such a socket stays in that namespace.
 */
import { dlopen, FFIType } from 'bun:ffi'
import { closeSync, openSync } from 'node:fs'

const CLONE_NEWNET = 0x4000_0000
const LIBRARIES = ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]

type SetNamespace = (file: number, kind: number) => number
let setNamespace: SetNamespace | undefined

function load(): SetNamespace {
  for (const library of LIBRARIES)
    try {
      const { symbols } = dlopen(library, {
        setns: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
      })
      return symbols.setns
    } catch {
      // The other C library, then.
    }
  throw new Error(`none of ${LIBRARIES.join(', ')} can be loaded`)
}

/** Runs `body` with this thread in the namespace which is mounted at `path`. */
export function inNetworkNamespace<T>(path: string, body: () => T): T {
  setNamespace ??= load()
  const [own, other] = [openSync('/proc/thread-self/ns/net', 'r'), openSync(path, 'r')]
  try {
    if (setNamespace(other, CLONE_NEWNET) !== 0) throw new Error(`${path} cannot be entered`)
    try {
      return body()
    } finally {
      // In the wrong namespace every later socket would be a leak into a tenant's network.
      if (setNamespace(own, CLONE_NEWNET) !== 0) process.abort()
    }
  } finally {
    closeSync(own)
    closeSync(other)
  }
}
