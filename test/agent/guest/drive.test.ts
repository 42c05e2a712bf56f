import { expect, test } from 'vitest'
import { readLabel } from '../../../src/agent/guest/drive.ts'

function disk(texts: Readonly<Record<number, string>>): Uint8Array {
  const head = Buffer.alloc(0x8800)
  for (const [offset, text] of Object.entries(texts)) head.write(text, Number(offset), 'latin1')
  return head
}

test.each([
  ['ISO 9660', { 32769: 'CD001', 32808: 'config-2'.padEnd(32) }, 'iso9660', 'config-2'],
  ['FAT16', { 43: 'config-2   FAT16   ' }, 'vfat', 'config-2'],
  ['FAT32', { 71: 'CONFIG-2   FAT32   ' }, 'vfat', 'CONFIG-2'],
])('the label of %s', (_, texts, type, label) => {
  expect(readLabel(disk(texts))).toEqual({ type, label })
})

test.each([
  ['an empty drive', new Uint8Array(0)],
  ['another file system', disk({ 1080: 'Sï' })],
])('%s has none', (_, head) => {
  expect(readLabel(head)).toBeUndefined()
})
