/** One life of a site: one thing after the other, committed before anything that follows from it; a commit that fails ends it. */
import type { Step } from '../../fallback/index.ts'
import { type Change, type Kept, merged, type RecordStore } from './record.ts'

/** What is done once its step is durable. */
export type Deed = () => void
/** Told the time when its turn has come. */
export type Turn = (nowMs: number) => Step<Change, Deed>

export interface Life {
  /** Dropped when the life is over, or when too much waits: the protocol copes with loss. */
  give(turn: Turn): void
  kept(): Kept
  end(why: Error): void
  /** Resolves with why it is over. */
  readonly over: Promise<Error>
}

const mostWaiting = 5_000
/** Committed together. */
const mostTogether = 500

export function startLife(
  store: Pick<RecordStore, 'write'>,
  standing: { readonly kept: Kept; readonly version: string },
  now: () => number,
): Life {
  const { promise: over, resolve } = Promise.withResolvers<Error>()
  let { kept, version } = standing
  let waiting: Turn[] = []
  let isOver = false
  let isBusy = false
  const end = (why: Error) => {
    isOver = true
    waiting = []
    resolve(why)
  }
  const together = async () => {
    const steps = waiting.splice(0, mostTogether).map((turn) => turn(now()))
    const changes = steps.flatMap(({ writes }) => writes)
    if (changes.length > 0) {
      const next = changes.reduce(merged, kept)
      version = await store.write(next, version)
      kept = next
    }
    for (const step of steps) {
      if (isOver) return
      for (const deed of step.after(now())) deed()
    }
  }
  const work = async () => {
    if (isBusy) return
    isBusy = true
    try {
      while (!isOver && waiting.length > 0) await together()
    } catch (error) {
      end(error as Error)
    }
    isBusy = false
  }
  return {
    give(turn) {
      if (isOver || waiting.length >= mostWaiting) return
      waiting.push(turn)
      void work()
    },
    kept: () => kept,
    end,
    over,
  }
}
