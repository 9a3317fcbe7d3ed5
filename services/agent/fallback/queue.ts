/** Things by name that wait for their turn: some at once, none of them twice at the same time, the urgent ones first. */

export interface QueueOptions {
  readonly atOnce: number
  /** Asked when a turn is free. */
  readonly isUrgent: (name: string) => boolean
  /** Never rejects. */
  readonly take: (name: string) => Promise<void>
  readonly signal: AbortSignal
}

/** Returns what adds to it. One that is taken just now gets another turn. */
export function createQueue({ atOnce, isUrgent, take, signal }: QueueOptions): (name: string) => void {
  const waiting = new Set<string>()
  const inHand = new Set<string>()
  const next = () => {
    const free = [...waiting].filter((name) => !inHand.has(name))
    return free.find(isUrgent) ?? free[0]
  }
  const proceed = () => {
    while (inHand.size < atOnce && !signal.aborted) {
      const name = next()
      if (name === undefined) return
      waiting.delete(name)
      inHand.add(name)
      void take(name).then(() => {
        inHand.delete(name)
        proceed()
      })
    }
  }
  return (name) => {
    waiting.add(name)
    proceed()
  }
}
