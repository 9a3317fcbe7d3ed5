/** A replica of the broker: tries to lead, and while it does it is the desk. */
import type { DeskEffect, DeskEvent, DeskOptions, DeskWrite } from '../../services/fallback/index.ts'
import type { Random } from '../../services/shared/random.ts'
import { createActor } from './actor.ts'
import type { Core } from './core.ts'
import type { Network } from './network.ts'
import type { Leadership, Store } from './store.ts'
import { createMachineClock, type Time } from './time.ts'

export interface BrokerSetup {
  readonly core: Core
  readonly time: Time
  readonly random: Random
  readonly network: Network
  readonly id: string
  readonly store: Store
  readonly options: DeskOptions
  readonly perform: (broker: string, effect: DeskEffect) => void
}

export type Broker = ReturnType<typeof createBroker>

const electionMs = 2_000

export function createBroker({ core, time, random, network, id, store, options, perform }: BrokerSetup) {
  const clock = createMachineClock(time, random, options.profile.drift)
  let desk: ReturnType<Core['startDesk']> | undefined
  let term = 0
  let isOn = false
  let isPaused = false
  let round = 0

  const actor = createActor<DeskEvent, DeskWrite, DeskEffect>({
    nowMs: clock.read,
    begin: () => core.nothing,
    handle: (event) => (desk ? core.deskHears(desk, event, clock.read()) : core.nothing),
    commit(writes, done) {
      const mine = term
      // What the store answers may not arrive; then it is not known, and the desk gives up.
      let isAnswered = false
      const answer = (ok: boolean) => {
        if (isAnswered) return
        isAnswered = true
        done(ok)
      }
      if (network.isOpen(id, 'store')) {
        store.commit(mine, writes, (ok) => {
          if (network.isOpen('store', id)) answer(ok)
        })
      }
      time.after(25_000, () => answer(false))
    },
    perform: (effects) => {
      for (const effect of effects) perform(id, effect)
    },
  })
  const loop = (mine: number) => {
    if (mine !== round || !isOn) return
    if (!isPaused && network.isOpen(id, 'store') && network.isOpen('store', id)) {
      const led = store.lead(id, !actor.isAlive())
      if (led === undefined) step()
      else if (led !== 'still') become(led)
    }
    actor.give({ kind: 'tick' })
    time.after(clock.toReal(electionMs / 2), () => loop(mine))
  }
  const step = () => {
    actor.kill()
    desk = undefined
  }
  const become = (led: Leadership) => {
    step()
    term = led.term
    desk = core.startDesk(options, led.rows, led.generation, clock.read())
    actor.start()
  }
  return {
    id,
    hear: (event: DeskEvent) => actor.give(event),
    desk: () => (actor.isAlive() ? desk : undefined),
    nowMs: clock.read,
    pause(ms: number) {
      isPaused = true
      actor.pause()
      time.after(ms, () => {
        isPaused = false
        actor.resume()
      })
    },
    off() {
      isOn = false
      round += 1
      step()
    },
    on() {
      if (isOn) return
      isOn = true
      loop(++round)
    },
  }
}
