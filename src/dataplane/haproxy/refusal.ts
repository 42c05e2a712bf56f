/**
 * What to make of a configuration that haproxy refuses: whom its complaints are about, and the same
 * configuration with those listeners as they were, or without them. Pure.
 */
import { nameOf, refusedReferences } from './certificates.ts'
import type { Rendering } from './facts.ts'
import { servedListeners } from './served.ts'

const SENTENCE_MAX = 300

/**
 * By listener why haproxy does not take it. Of what is about none of them, such as lines of the
 * operator in `global`, there is no word here.
 */
export function refusedListeners(
  rendering: Rendering,
  text: string,
  said: string,
): ReadonlyMap<string, string> {
  const refused = new Map<string, string>()
  for (const [id, references] of refusedReferences(rendering, said)) {
    const why = references.map((each) => `${nameOf(each)} is too weak for haproxy, or broken`)
    refused.set(id, why.join(', '))
  }
  const ids = new Set(servedListeners(rendering.tree).map(({ id }) => id))
  for (const alert of alertsIn(said)) {
    const id = ownerOfLine(text, lineIn(alert)) ?? [...ids].find((each) => alert.includes(each))
    if (id !== undefined && ids.has(id) && !refused.has(id)) refused.set(id, sentenceOf(alert))
  }
  return refused
}

/** What haproxy says begins with how bad it is, and may go on in further lines. */
function alertsIn(said: string): readonly string[] {
  return said.split(/(?=\[(?:ALERT|WARNING|NOTICE)\])/).filter((each) => each.startsWith('[ALERT]'))
}

/** Where it has read what it complains about. */
const PLACE = /\[\/\S*?:(\d+)\]/

function lineIn(alert: string): number {
  return Number(PLACE.exec(alert)?.[1] ?? 0)
}

function sentenceOf(alert: string): string {
  const bare = alert
    .replace(/^\[ALERT\]\s*\(\d+\) : (config : )?(parsing )?/, '')
    .replace(PLACE, '')
    .replace(/\s+/g, ' ')
    .replace(/^[ :]+/, '')
    .trim()
  return `haproxy says: ${bare.slice(0, SENTENCE_MAX)}`
}

/** How a listener that is refused is served: as it was, or not at all. */
export type Fate = 'kept' | 'left out'

/** `text`, with what belongs to these listeners as it is in `before`, or not at all. */
export function withFates(text: string, before: string, fates: ReadonlyMap<string, Fate>): string {
  const fateOf = ({ owner }: Section): Fate | undefined => fates.get(owner ?? '')
  const now = sectionsOf(text).filter((section) => fateOf(section) === undefined)
  const kept = sectionsOf(before).filter((section) => fateOf(section) === 'kept')
  return `${[...now, ...kept].map((section) => section.text).join('\n\n')}\n`
}

export function hasListener(text: string, id: string): boolean {
  return sectionsOf(text).some(({ owner }) => owner === id)
}

interface Section {
  readonly text: string
  /** The name at the end of what begins a frontend or a backend of a listener. */
  readonly owner: string | undefined
}

/** As printSections of line.ts has written them. */
function sectionsOf(text: string): readonly Section[] {
  return text
    .trimEnd()
    .split('\n\n')
    .map((each) => ({ text: each, owner: /^(?:frontend |backend \S+:)(\S+)$/m.exec(each)?.[1] }))
}

function ownerOfLine(text: string, line: number): string | undefined {
  let last = 0
  for (const section of sectionsOf(text)) {
    const first = last + 1
    last += section.text.split('\n').length
    if (first <= line && line <= last) return section.owner
    // The blank line in between.
    last++
  }
  return undefined
}
