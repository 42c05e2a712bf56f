/** What a program in the virtual machine does with its rows; the console is all that leaves it. */
export type Rows<World> = Readonly<Record<string, (world: World) => Promise<void>>>

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

export function equal(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (a !== b) throw new Error(`found ${a} where ${b} was wanted`)
}

export const sorted = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort()
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

/** Ends the program. */
export async function runRows<World>(
  prepare: () => Promise<World>,
  rows: Rows<World>,
): Promise<never> {
  try {
    const world = await prepare()
    print(`# ready after ${Math.round(performance.now())} ms`)
    for (const [name, row] of Object.entries(rows)) {
      const from = performance.now()
      try {
        await row(world)
        print(`ROW ok ${name} # ${Math.round(performance.now() - from)} ms`)
      } catch (error) {
        print(`ROW failed ${name}: ${String(error).replaceAll('\n', ' / ')}`)
      }
    }
    print('END')
    process.exit(0)
  } catch (error) {
    print(`# the story of the machine ended: ${String(error)}`)
    process.exit(1)
  }
}
