/**
 * Lines of a configuration, whichever program reads it. The fixed part of a line is code; whatever
 * is put into it passes the gate of that program, which lets a value be exactly one word of it.
 */

/**
 * Text that has been through a gate: a line, or a part of one. Made by the functions of the
 * program's own line.ts only.
 */
export class Line {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** line`server ${id} ${address}:${port}`: every value becomes one word, or part of one. */
export function lineBy(gate: (value: string | number) => string) {
  return (fixed: TemplateStringsArray, ...values: (string | number | Line)[]): Line => {
    const text = fixed.reduce((all, part, at) => {
      const value = values[at - 1] ?? ''
      return `${all}${value instanceof Line ? value.text : gate(value)}${part}`
    })
    return new Line(text)
  }
}

/** One line of several parts; undefined ones are left out. */
export function joined(parts: readonly (Line | undefined)[]): Line {
  const present = parts.filter((part) => part !== undefined)
  return new Line(present.map((part) => part.text).join(' '))
}
