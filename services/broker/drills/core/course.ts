/** The course of a drill: which step is next, whatever became of those before it. Pure. */
import type { DrillKind, DrillState, DrillStep } from '../../../../schemas/index.ts'

type Name = DrillStep['name']

/** `whole`: beside or for real of a datacenter, made of drills of what runs there. */
export type Course = DrillKind | 'whole'

const courses: Readonly<Record<Course, readonly Name[]>> = {
  plan: ['reckoned', 'done'],
  shadow: ['claimed', 'isolated', 'started', 'ready', 'removed', 'returned', 'done'],
  live: ['moved', 'ready-there', 'standing-by', 'moved-back', 'ready-back', 'done'],
  whole: ['drilled', 'done'],
}

/** What is left to do of one that goes no further: what it made is taken back. */
const wayOut: Readonly<Record<Course, readonly Name[]>> = {
  plan: ['done'],
  shadow: ['removed', 'returned', 'done'],
  live: ['moved', 'standing-by', 'moved-back', 'done'],
  // Those that it is made of each take their own.
  whole: ['drilled', 'done'],
}

export const courseOf = (kind: DrillKind, hostingId: string | null): Course =>
  hostingId === null && kind !== 'plan' ? 'whole' : kind

/** Undefined when it is over. A step that was begun and has not ended is taken again. */
export function nextStep(is: Course, steps: readonly DrillStep[], goesOn: boolean): Name | undefined {
  const ended = new Set(steps.filter(({ endedAt }) => endedAt !== null).map(({ name }) => name))
  // Nothing was moved, so there is nothing to bring back.
  const course = goesOn ? courses[is] : is === 'live' && steps.length === 0 ? (['done'] as const) : wayOut[is]
  return course.find((name) => !ended.has(name))
}

/** A step that is taken: what is begun ends, and stands as it was begun. */
export function begun(steps: readonly DrillStep[], name: Name, at: string): DrillStep[] {
  if (steps.some((step) => step.name === name && step.endedAt === null)) return [...steps]
  return [...closed(steps, at), { name, startedAt: at, endedAt: null, note: null }]
}

export function ended(steps: readonly DrillStep[], name: Name, at: string, note: string | null): DrillStep[] {
  return steps.map((step) => (step.name === name && step.endedAt === null ? { ...step, endedAt: at, note } : step))
}

/** What was begun and is gone on from without an end. */
function closed(steps: readonly DrillStep[], at: string): DrillStep[] {
  return steps.map((step) => (step.endedAt === null ? { ...step, endedAt: at, note: 'broken off' } : step))
}

export const isOver = (state: DrillState): boolean => state === 'passed' || state === 'failed' || state === 'aborted'

/** Between the beginning of one step and the end of another, in seconds; null when one of them was not taken whole. */
export function secondsBetween(steps: readonly DrillStep[], from: Name, to: Name): number | null {
  const start = steps.find(({ name }) => name === from)?.startedAt
  const end = steps.find(({ name }) => name === to)?.endedAt
  return start && end ? (Date.parse(end) - Date.parse(start)) / 1000 : null
}
