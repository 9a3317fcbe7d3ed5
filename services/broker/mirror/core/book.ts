/** What is known of the objects of one hosting at both sites, what is to be done for them, and since when. */
import { type Due, dueOf, type Here, type Settled, type There } from './difference.ts'
import { type Kind, rankOf } from './kinds.ts'
import type { MirroredObject } from './objects.ts'
import { createPending } from './pending.ts'

export interface SeenHere extends Kind, Here {
  readonly name: string
}

export interface SeenThere extends Kind, There {
  readonly name: string
}

/** One object that is to be written or taken away. */
export interface Task<S extends SeenHere, T extends SeenThere> {
  readonly key: string
  readonly due: 'write' | 'remove'
  readonly here: S | undefined
  readonly there: T | undefined
  /** As it was told; undefined when it has to be read again. */
  readonly essence: MirroredObject | undefined
}

export interface Difference {
  readonly kind: string
  readonly name: string
  readonly what: 'missing' | 'differs' | 'only-there' | 'refused' | 'unknown-there'
  readonly reason?: string
}

export interface Book<S extends SeenHere, T extends SeenThere> {
  /** An object of the active site is new or another. */
  changed(key: string, essence: MirroredObject, now: number): void
  gone(key: string, now: number): void
  /** Everything that stands at the other site. What is found to be behind now is so since `since`. */
  replaceThere(copies: ReadonlyMap<string, T>, since: number): void
  noteThere(key: string, copy: T | undefined, now: number): void
  /** What was written is what `digest` says; `copy` is what the other cluster made of it. */
  wrote(key: string, digest: string, copy: T): void
  removed(key: string): void
  /** The other site takes it not; not asked again until it is another, or everything was looked at again. */
  refuse(key: string, reason: string): void
  /** What others need first comes first; taking away comes last. */
  next(count: number): Task<S, T>[]
  /** Since when the other site lacks what was told of the active one; undefined when it lacks nothing. */
  behindSince(): number | undefined
  /** By name what is not the same, at most fifty, those first that a person may have to do with. */
  differences(): Difference[]
  objects(): number
}

const mostDifferences = 50
/** What a person may have to do something about comes first. */
const weight: readonly Difference['what'][] = ['refused', 'differs', 'only-there', 'missing', 'unknown-there']

/** `here` is kept by who follows the active site, whose namespace has this uid. Instants are milliseconds. */
export function createBook<S extends SeenHere, T extends SeenThere>(
  here: ReadonlyMap<string, S>,
  namespaceUid: string,
): Book<S, T> {
  const there = new Map<string, T>()
  const pending = createPending()
  const settled = new Map<string, Settled>()
  const refused = new Map<string, { readonly digest: string | undefined; readonly reason: string }>()

  const due = (key: string): Due => dueOf(here.get(key), there.get(key), namespaceUid, settled.get(key))
  const isDone = (key: string) => !['write', 'remove'].includes(due(key))
  const evaluate = (key: string, now: number, essence = pending.get(key)?.essence) => {
    if (!isDone(key)) return pending.put(key, now, essence)
    pending.drop(key)
    refused.delete(key)
  }
  const isRefused = (key: string) => {
    const refusal = refused.get(key)
    return refusal !== undefined && refusal.digest === here.get(key)?.digest
  }
  const taskOf = (key: string): Task<S, T>[] => {
    const what = due(key)
    if (what !== 'write' && what !== 'remove') return []
    return [{ key, due: what, here: here.get(key), there: there.get(key), essence: pending.get(key)?.essence }]
  }

  return {
    changed: (key, essence, now) => evaluate(key, now, essence),
    gone: (key, now) => evaluate(key, now),
    replaceThere: (copies, since) => {
      there.clear()
      for (const [key, copy] of copies) there.set(key, copy)
      refused.clear()
      for (const key of settled.keys()) if (!here.has(key)) settled.delete(key)
      for (const key of new Set([...here.keys(), ...there.keys(), ...pending.keys()])) evaluate(key, since)
    },
    noteThere: (key, copy, now) => {
      if (copy) there.set(key, copy)
      else there.delete(key)
      evaluate(key, pending.get(key)?.changedAt ?? now)
    },
    wrote: (key, digest, copy) => {
      there.set(key, copy)
      settled.set(key, { here: digest, there: copy.digest })
      if (isDone(key)) pending.drop(key)
      else pending.advance(key)
    },
    removed: (key) => {
      there.delete(key)
      if (isDone(key)) pending.drop(key)
    },
    refuse: (key, reason) => {
      refused.set(key, { digest: here.get(key)?.digest, reason })
    },
    next: (count) =>
      [...pending.keys()]
        .filter((key) => !isRefused(key))
        .flatMap(taskOf)
        .sort((a, b) => orderOf(a) - orderOf(b))
        .slice(0, count),
    behindSince: pending.since,
    differences: () =>
      [...new Set([...pending.keys(), ...there.keys()])]
        .flatMap((key) => differenceOf(here.get(key), there.get(key), due(key), refused.get(key)?.reason))
        .sort((a, b) => weight.indexOf(a.what) - weight.indexOf(b.what))
        .slice(0, mostDifferences),
    objects: () => here.size,
  }
}

function orderOf({ due, here, there }: Pick<Task<SeenHere, SeenThere>, 'due' | 'here' | 'there'>): number {
  const kind = here ?? there
  return (due === 'remove' ? 1_000 : 0) + (kind ? rankOf(kind) : 0)
}

function differenceOf(
  here: SeenHere | undefined,
  there: SeenThere | undefined,
  due: Due,
  reason: string | undefined,
): Difference[] {
  const object = here ?? there
  if (!object || due === 'nothing') return []
  const { kind, name } = object
  if (reason !== undefined) return [{ kind, name, what: 'refused', reason }]
  return [{ kind, name, what: !there ? 'missing' : here ? 'differs' : 'only-there' }]
}
