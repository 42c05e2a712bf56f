/** Every place in which a job of a flow can be interrupted, from the same rules as run.ts. Pure. */
import type { Json } from '../model/field.ts'
import type { Boundary, Flow, Step } from './step.ts'

export type BoundaryPlace = Pick<Boundary, 'step' | 'at'>

/**
 * While everything succeeds. Steps which only have rows are recorded with the one before: no place
 * of theirs.
 */
export function listBoundaries<W>(flow: Flow<W>, input: Json): BoundaryPlace[] {
  const acting = flow.steps(input).filter((step) => step.act !== undefined)
  return acting.flatMap(({ name }) => places(name, ['before-act', 'before-record', 'after-record']))
}

/** From the moment in which the step named `failing` has failed for good. */
export function listUndoBoundaries<W>(
  flow: Flow<W>,
  input: Json,
  failing: string,
): BoundaryPlace[] {
  const steps = flow.steps(input)
  const begun = steps.slice(0, steps.findIndex((step) => step.name === failing) + 1)
  return [
    ...places(failing, ['after-failure-record']),
    ...begun
      .filter(hasUndo)
      .reverse()
      .flatMap(({ name }) =>
        places(name, ['before-undo', 'before-undo-record', 'after-undo-record']),
      ),
  ]
}

function hasUndo<W>(step: Step<W>): boolean {
  return step.undo !== undefined || step.undoRows !== undefined
}

function places(step: string, list: readonly Boundary['at'][]): BoundaryPlace[] {
  return list.map((at) => ({ step, at }))
}
