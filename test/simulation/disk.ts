/** A disk: what was written is there after the write was acknowledged; a crash before that keeps it or loses it. */
import type { Random } from '../../services/shared/random.ts'
import type { Time } from './time.ts'

export interface Disk<State> {
  state: State | undefined
  slowMs: number
  write(change: (state: State | undefined) => State, done: () => void): void
  /** Its machine crashed: each write under way has happened or never will. */
  crash(): void
}

export function createDisk<State>(time: Time, random: Random): Disk<State> {
  let under: { change: (state: State | undefined) => State; isOver: boolean }[] = []
  const disk: Disk<State> = {
    state: undefined,
    slowMs: 4,
    write(change, done) {
      const write = { change, isOver: false }
      under.push(write)
      time.after(1 + random.next() * disk.slowMs, () => {
        if (write.isOver) return
        disk.state = change(disk.state)
        under.splice(under.indexOf(write), 1)
        done()
      })
    },
    crash() {
      for (const write of under) {
        write.isOver = true
        if (random.next() < 0.5) disk.state = write.change(disk.state)
      }
      under = []
    },
  }
  return disk
}
