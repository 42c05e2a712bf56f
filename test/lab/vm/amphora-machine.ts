/** A virtual machine which boots the image of amphorae, as a compute service would start it. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { until } from '../harness.ts'

/** The image under test: it takes minutes to build, so the test does not. */
export const IMAGE = process.env.OCTAVIA_LITE_IMAGE ?? ''
const FIRMWARE = '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd'
/** What emulates a machine for that image, and how it has CDs. */
const EMULATORS = {
  amd64: {
    program: 'qemu-system-x86_64',
    // A Bun executable needs instructions that qemu's default model does not have.
    argv: ['-machine', 'pc', '-cpu', 'Nehalem', '-vga', 'std'],
    cd: ['-device', 'ide-cd,drive=cd,id=cd0'],
  },
  arm64: {
    program: 'qemu-system-aarch64',
    argv: ['-machine', 'virt', '-cpu', 'cortex-a72', '-bios', FIRMWARE],
    cd: ['-device', 'virtio-scsi-pci', '-device', 'scsi-cd,drive=cd,id=cd0'],
  },
} as const
const EMULATOR = EMULATORS[process.env.OCTAVIA_LITE_IMAGE_ARCH === 'arm64' ? 'arm64' : 'amd64']
export const CD_DRIVE: readonly string[] = [
  ...['-drive', 'if=none,id=cd,media=cdrom,readonly=on', ...EMULATOR.cd],
]
const WAIT_MS = 300_000

export function amphoraMachineMissing(): string | undefined {
  if (IMAGE === '')
    return "needs an image of 'octavia-lite image build', named by OCTAVIA_LITE_IMAGE"
  if (!existsSync(IMAGE)) return `needs ${IMAGE}, which OCTAVIA_LITE_IMAGE names`
  if (statSync('/dev/net/tun', { throwIfNoEntry: false }) === undefined) return 'needs /dev/net/tun'
  return [EMULATOR.program, 'qemu-img', 'genisoimage', 'mkfs.fat', 'mcopy', 'ssh', 'ssh-keygen']
    .filter((program) => Bun.which(program) === null)
    .map((program) => `needs ${program}`)[0]
}

export interface MachineOptions {
  readonly folder: string
  /** Of this boot. */
  readonly name: string
  /** A qcow2 that is written to. */
  readonly disk: string
  readonly memory_mb?: number
  /** More arguments of qemu: its cards and drives. */
  readonly devices: readonly string[]
}

export interface AmphoraMachine {
  console(): string
  /** Of qemu until now, in seconds. */
  cpu(): number
  command(name: string, args?: object): Promise<unknown>
  /** A line on the console. */
  says(text: string | RegExp): Promise<void>
  readonly exited: Promise<number>
  stop(): Promise<void>
}

export async function startAmphoraMachine(options: MachineOptions): Promise<AmphoraMachine> {
  const { folder, name, disk, memory_mb = 512, devices } = options
  const at = (file: string): string => join(folder, `${name}.${file}`)
  const qemu = Bun.spawn(
    [
      EMULATOR.program,
      ...['-accel', 'tcg,thread=multi', ...EMULATOR.argv],
      ...['-m', String(memory_mb), '-smp', '1', '-nodefaults', '-display', 'none'],
      ...['-serial', `file:${at('console')}`, '-device', 'virtio-rng-pci'],
      ...['-qmp', `unix:${at('qmp')},server=on,wait=off`],
      ...['-drive', `if=none,id=disk,file=${disk},format=qcow2,cache=unsafe`],
      ...['-device', 'virtio-blk-pci,drive=disk,bootindex=1', ...devices],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  const read = (): string => (existsSync(at('console')) ? readFileSync(at('console'), 'utf8') : '')
  await until('qemu to listen', () => existsSync(at('qmp')))
  return {
    console: read,
    cpu: () => {
      const fields = readFileSync(`/proc/${qemu.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return (Number(fields[11]) + Number(fields[12])) / 100
    },
    command: (command, args = {}) => ask(at('qmp'), command, args),
    says: (text) => until(`the console to say ${text}`, () => includes(read(), text), WAIT_MS),
    exited: qemu.exited,
    stop: async () => {
      qemu.kill('SIGKILL')
      await qemu.exited
    },
  }
}

function includes(console: string, text: string | RegExp): boolean {
  return typeof text === 'string' ? console.includes(text) : text.test(console)
}

/** One command of the QEMU machine protocol; events that come meanwhile are passed over. */
async function ask(path: string, execute: string, args: object): Promise<unknown> {
  const socket = createConnection(path)
  try {
    let text = ''
    return await new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('data', (part) => {
        text += part.toString()
        const lines = text.split('\n')
        text = lines.pop() ?? ''
        for (const line of lines.filter((each) => each.trim() !== '')) {
          const answer = JSON.parse(line)
          if (answer.error !== undefined) reject(new Error(`${execute}: ${answer.error.desc}`))
          else if (answer.id === execute) resolve(answer.return)
        }
      })
      socket.write(`${JSON.stringify({ execute: 'qmp_capabilities' })}\n`)
      socket.write(`${JSON.stringify({ execute, arguments: args, id: execute })}\n`)
    })
  } finally {
    socket.destroy()
  }
}
