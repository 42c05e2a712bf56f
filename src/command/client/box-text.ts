/** Tables in boxes, as PrettyTable draws them for cliff. Pure. */

type Side = 'left' | 'right' | 'center'

/**
 * Cells may have several lines. `limit` is the width to fit into, 0 for none; no column is made
 * narrower than `min` for it.
 */
export function boxText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  sides: readonly Side[] | Side,
  limit: number,
  min: number,
): string {
  const natural = head.map((name, column) =>
    Math.max(...[name, ...rows.map((row) => row[column] ?? '')].flatMap(linesOf).map(widthOf)),
  )
  const widths = shrink(natural, limit, min)
  const side = (column: number): Side =>
    typeof sides === 'string' ? sides : (sides[column] ?? 'left')
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`
  const draw = (row: readonly string[]): string[] => {
    const cells = widths.map((width, i) => linesOf(row[i] ?? '').flatMap((l) => wrap(l, width)))
    const height = Math.max(...cells.map((cell) => cell.length))
    return Array.from({ length: height }, (_, line) => {
      const parts = cells.map((cell, i) => ` ${pad(cell[line] ?? '', widths[i] ?? 0, side(i))} `)
      return `|${parts.join('|')}|`
    })
  }
  const body = rows.flatMap(draw)
  return `${[rule, ...draw(head), rule, ...body, ...(rows.length > 0 ? [rule] : [])].join('\n')}\n`
}

const linesOf = (text: string): string[] => text.split('\n')
const widthOf = (text: string): number => Bun.stringWidth(text)

function pad(text: string, width: number, side: Side): string {
  const room = Math.max(0, width - widthOf(text))
  if (side === 'right') return ' '.repeat(room) + text
  if (side === 'left') return text + ' '.repeat(room)
  const before = Math.floor(room / 2)
  return ' '.repeat(before) + text + ' '.repeat(room - before)
}

/** The wide columns share what the narrow ones leave; cliff's rule. */
function shrink(natural: readonly number[], limit: number, min: number): readonly number[] {
  const total = natural.reduce((sum, width) => sum + width + 3, 1)
  if (limit <= 0 || total <= limit) return natural
  const usable = Math.max(0, limit - 1 - 3 * natural.length)
  const equal = Math.floor(usable / natural.length)
  const wide = natural.flatMap((width, column) => (width > equal ? [column] : []))
  const narrow = natural.reduce((sum, width) => sum + (width <= equal ? width : 0), 0)
  let left = usable - narrow
  const share = Math.floor(left / wide.length)
  const widths = [...natural]
  for (const [at, column] of wide.entries()) {
    widths[column] = Math.max(min, at === wide.length - 1 ? left : share)
    left -= share
  }
  return widths
}

/** Breaks at spaces and after dashes; words that are too long are cut. */
function wrap(line: string, width: number): string[] {
  if (widthOf(line) <= width) return [line]
  const out: string[] = []
  let current = ''
  for (const word of line.match(/[^\s-]+-*|\s+|-+/g) ?? []) {
    if (widthOf(current + word.trimEnd()) <= width) {
      current += word
      continue
    }
    if (current.trim() !== '') out.push(current.trimEnd())
    current = word.trimStart()
    while (widthOf(current) > width) {
      out.push(current.slice(0, width))
      current = current.slice(width)
    }
  }
  if (current.trim() !== '') out.push(current.trimEnd())
  return out
}
