import { expect, test } from 'vitest'
import { TARGETS } from '../../src/image/contents.ts'
import { planLayout, TooSmall } from '../../src/image/disk.ts'
import { parseNeeded } from '../../src/image/libraries.ts'
import { parseArchiveNames, printManifest } from '../../src/image/manifest.ts'
import { parseDepends } from '../../src/image/modules.ts'
import { missingPackages } from '../../src/image/tools.ts'

const MIB = 1 << 20
const BYTES = { boot: 10 * MIB, root: 65 * MIB + 1 }

test('partitions follow one another and state gets what is left', () => {
  expect(planLayout(BYTES, 300)).toEqual({
    boot: { start: 1, size: 12 },
    root: { start: 13, size: 66 },
    state: { start: 79, size: 220 },
    total: 300,
  })
})

test('a disk is as small as can be, and no smaller', () => {
  const { total, state } = planLayout(BYTES, null)
  expect([total, state.size]).toEqual([144, 64])
  expect(() => planLayout(BYTES, 143)).toThrow(new TooSmall(144))
})

test('libraries of programs', () => {
  const text = [
    ' 0x0000000000000001 (NEEDED)             Shared library: [libcap.so.2]',
    ' 0x000000000000000e (SONAME)             Library soname: [libx.so.1]',
    ' 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]',
  ].join('\n')
  expect(parseNeeded(text)).toEqual(['libcap.so.2', 'libc.so.6'])
})

test('modules in the order of loading', () => {
  const text = 'insmod /a/virtio.ko \nbuiltin ext\ninsmod /a/virtio_blk.ko option=1\n'
  expect(parseDepends(text)).toEqual(['/a/virtio.ko', '/a/virtio_blk.ko'])
})

test('the manifest names every package', () => {
  const names = ['partial', 'lock', 'tzdata_2024a-0_all.deb', 'ip_1%3a2.36-9_amd64.deb']
  expect(printManifest('octavia-lite 1', parseArchiveNames(names))).toBe(
    'octavia-lite 1\nip\t1:2.36-9\tamd64\ntzdata\t2024a-0\tall\n',
  )
})

test('what to install before building', () => {
  const without =
    (...absent: string[]) =>
    (name: string) =>
      !absent.includes(name)
  expect(missingPackages(TARGETS.amd64, without())).toEqual([])
  expect(missingPackages(TARGETS.amd64, without('depmod', 'modprobe', 'syslinux'))).toEqual([
    'kmod',
    'syslinux',
    'syslinux-common',
  ])
  expect(missingPackages(TARGETS.arm64, without('syslinux'))).toEqual([])
})
