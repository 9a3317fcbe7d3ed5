/** Virtual time: what happens next, and how each machine's clock sees it. */
import type { Random } from '../../services/shared/random.ts'

export interface Time {
  /** Real milliseconds since the world began; nobody in the world can read them. */
  now(): number
  at(ms: number, task: () => void): void
  after(ms: number, task: () => void): void
  /** Runs what is next, if that is not after `ms`; false when there is nothing. */
  step(ms: number): boolean
  /** Runs everything up to `ms`. */
  runUntil(ms: number): void
}

interface Entry {
  at: number
  order: number
  task: () => void
}

export function createTime(): Time {
  const heap: Entry[] = []
  let now = 0
  let order = 0
  const isBefore = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order)
  const push = (entry: Entry) => {
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(entry, heap[parent] as Entry)) break
      heap[index] = heap[parent] as Entry
      index = parent
    }
    heap[index] = entry
  }
  const pop = (): Entry => {
    const top = heap[0] as Entry
    const last = heap.pop() as Entry
    if (heap.length === 0) return top
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1
      if (!isBefore(heap[child] as Entry, last)) break
      heap[index] = heap[child] as Entry
      index = child
    }
    heap[index] = last
    return top
  }
  const step = (ms: number) => {
    if (heap.length === 0 || (heap[0] as Entry).at > ms) return false
    const next = pop()
    now = next.at
    next.task()
    return true
  }
  const at = (ms: number, task: () => void) => push({ at: Math.max(ms, now), order: order++, task })
  return {
    now: () => now,
    at,
    after: (ms, task) => at(now + ms, task),
    step,
    runUntil(ms) {
      while (step(ms));
      now = ms
    },
  }
}

/** A monotonic clock that runs a little wrong, from wherever it happened to begin. */
export interface MachineClock {
  read(): number
  /** How long `ms` of this clock are in reality. */
  toReal(ms: number): number
  /** The real moment at which it will show `reading`. */
  realAt(reading: number): number
}

export function createMachineClock(time: Time, random: Random, drift: number): MachineClock {
  // At the bounds more often than between them: that is where a formula fails.
  const draw = random.next()
  const rate = draw < 0.35 ? 1 - drift : draw < 0.7 ? 1 + drift : 1 + drift * (2 * random.next() - 1)
  const offset = random.next() * 1e7
  return {
    read: () => offset + time.now() * rate,
    toReal: (ms) => ms / rate,
    realAt: (reading) => (reading - offset) / rate,
  }
}
