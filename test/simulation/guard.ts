/** The process of a guard: it goes on looking while its disk takes its time, as the real one does. */
import type { GuardAnswer, GuardAsk, GuardDisk } from '../../services/fallback/index.ts'
import type { Core } from './core.ts'
import type { Disk } from './disk.ts'
import type { MachineClock } from './time.ts'

export type Grant = GuardDisk['grants'][number]

export interface GuardSetup {
  readonly core: Core
  readonly clock: MachineClock
  readonly disk: Disk<GuardDisk>
  readonly node: string
  readonly boot: () => string
  /** Hostings of which something is past its gate, or may be at any moment as far as this life of the guard knows. */
  readonly running: () => ReadonlySet<string>
  readonly kill: (hosting: string) => void
  readonly ask: (message: GuardAsk) => void
}

export type GuardProcess = ReturnType<typeof createGuardProcess>

export function createGuardProcess({ core, clock, disk, node, boot, running, kill, ask }: GuardSetup) {
  let life = 0
  let isAlive = false
  let isPaused = false
  let isWriting = false
  /** This life is on disk. */
  let isKept = false
  let guard: ReturnType<Core['startGuard']>[0] | undefined
  let waiting: (() => void)[] = []

  const awake = (task: () => void) => {
    if (isPaused) waiting.push(task)
    else task()
  }
  const write = (stored: GuardDisk, done: () => void) => {
    const mine = life
    isWriting = true
    disk.write(
      () => stored,
      () => {
        if (mine !== life) return
        awake(() => {
          if (mine !== life) return
          isWriting = false
          done()
        })
      },
    )
  }
  const hear = (answer: GuardAnswer) => {
    if (!isAlive || !guard || isWriting) return
    const step = core.guardHears(guard, answer, clock.read())
    const stored = step.writes.at(-1)
    if (!stored) return
    if (isGoodEnough(core, disk.state, stored)) step.after(clock.read())
    else write(stored, () => step.after(clock.read()))
  }
  return {
    hear: (answer: GuardAnswer) => awake(() => hear(answer)),
    start() {
      if (isAlive) return
      life += 1
      const [made, step] = core.startGuard(node, boot(), disk.state)
      guard = made
      isAlive = true
      isKept = false
      const stored = step.writes.at(-1)
      if (stored)
        write(stored, () => {
          isKept = true
        })
    },
    kill() {
      life += 1
      isAlive = false
      isPaused = false
      isWriting = false
      waiting = []
      guard = undefined
    },
    pause() {
      if (isAlive) isPaused = true
    },
    resume() {
      isPaused = false
      for (const each of waiting.splice(0)) each()
    },
    isPaused: () => isPaused,
    grantOf: (hosting: string): Grant | undefined => guard?.grants.get(hosting),
    mayStart: (hosting: string, label: Parameters<Core['mayStart']>[2]) =>
      guard !== undefined && core.mayStart(guard, hosting, label, clock.read()),
    /** Whether it got to do its work. */
    tick(): boolean {
      if (!isAlive || isPaused || !guard) return false
      const nowMs = clock.read()
      for (const effect of core.guardTick(guard, running(), nowMs).after(nowMs)) {
        if (effect.do === 'kill') kill(effect.hosting)
        else if (isKept) ask(effect.message)
      }
      return true
    },
  }
}

/** A deadline on disk that is off by less is left there. */
const closeMs = 1_000

function isGoodEnough(core: Core, kept: GuardDisk | undefined, wanted: GuardDisk): boolean {
  if (kept?.boot !== wanted.boot || kept.life !== wanted.life || kept.grants.length !== wanted.grants.length)
    return false
  return wanted.grants.every(({ hosting, epoch, activity, deadlineMs }, index) => {
    const before = kept.grants[index]
    if (before?.hosting !== hosting || before.activity !== activity) return false
    return core.compareEpochs(before.epoch, epoch) === 0 && Math.abs(before.deadlineMs - deadlineMs) < closeMs
  })
}
