/** What goes wrong in a world, drawn from its seed; and what people and machines around it do about it. */

import { calm } from './network.ts'
import type { World } from './world.ts'

/** A world as far as things can go wrong in it. */
export interface Stricken extends Pick<World, 'time' | 'random' | 'network' | 'datacenters' | 'note'> {
  readonly brokers: readonly Pick<World['brokers'][0], 'id' | 'pause' | 'off' | 'on'>[]
  readonly store: Pick<World['store'], 'slowMs' | 'restore'>
  /** People say of sites that they are off; where nobody does, none is lost for good. */
  readonly attest?: () => void
}

/** Begins the storm; everything of it but what is lost for good is mended at its end, after `stormMs`. */
export function beginFaults(world: Stricken, stormMs: number): void {
  const { time, random } = world
  // Not all kinds in every world: what only shows where nothing else happens would never be seen.
  const kinds = (Object.keys(faults) as (keyof typeof faults)[]).filter(() => random.next() < 0.6)
  if (kinds.length === 0) kinds.push('isolate')
  const next = () => {
    const waitMs = 500 + random.next() ** 2 * 40_000
    time.after(waitMs, () => {
      if (time.now() >= stormMs) return
      const kind = kinds[Math.floor(random.next() * kinds.length)] as keyof typeof faults
      faults[kind](world)
      next()
    })
  }
  next()
  time.at(stormMs, () => calmDown(world))
}

const some = <T>(world: Stricken, all: readonly T[]): T => all[Math.floor(world.random.next() * all.length)] as T
const lasting = (world: Stricken) => 1_000 + world.random.next() ** 2 * 120_000
const isAt = (id: string) => (other: string) => other === id || other.startsWith(`${id}-`)
const outside = (id: string) => (other: string) => !isAt(id)(other)

function cutFor(world: Stricken, what: string, from: (id: string) => boolean, to: (id: string) => boolean): void {
  const mend = world.network.cut(from, to)
  world.note(`cut: ${what}`)
  world.time.after(lasting(world), mend)
}

const faults = {
  isolate(world: Stricken) {
    const { id } = some(world, world.datacenters)
    cutFor(world, `${id} from everyone`, isAt(id), outside(id))
    cutFor(world, `everyone from ${id}`, outside(id), isAt(id))
  },
  fromDesk(world: Stricken) {
    const { id } = some(world, world.datacenters)
    const isDesk = (other: string) => other.startsWith('b')
    const way = world.random.next()
    if (way < 0.7) cutFor(world, `${id} to the desk`, isAt(id), isDesk)
    if (way > 0.3) cutFor(world, `the desk to ${id}`, isDesk, isAt(id))
  },
  deskFromAll(world: Stricken) {
    const isDesk = (other: string) => other.startsWith('b')
    const isSite = (other: string) => other.startsWith('d')
    cutFor(world, 'the desk from all', isDesk, isSite)
    cutFor(world, 'all from the desk', isSite, isDesk)
  },
  between(world: Stricken) {
    const [a, b] = [some(world, world.datacenters).id, some(world, world.datacenters).id]
    cutFor(world, `${a} to ${b}`, isAt(a), isAt(b))
    if (world.random.next() < 0.6) cutFor(world, `${b} to ${a}`, isAt(b), isAt(a))
  },
  node(world: Stricken) {
    const at = some(world, world.datacenters)
    const node = some(world, at.nodes)
    cutFor(
      world,
      `${node.id} from its agent`,
      (id) => id === node.id,
      (id) => id === at.id,
    )
    cutFor(
      world,
      `the agent from ${node.id}`,
      (id) => id === at.id,
      (id) => id === node.id,
    )
  },
  storeFromBroker(world: Stricken) {
    const { id } = some(world, world.brokers)
    const way = world.random.next()
    if (way < 0.7)
      cutFor(
        world,
        `${id} to the store`,
        (other) => other === id,
        (other) => other === 'store',
      )
    if (way > 0.3)
      cutFor(
        world,
        `the store to ${id}`,
        (other) => other === 'store',
        (other) => other === id,
      )
  },
  weather(world: Stricken) {
    const { network, random, time } = world
    network.weather = {
      loss: random.next() * 0.4,
      double: random.next() * 0.4,
      late: random.next() * 0.3,
      heldMs: random.next() * 60_000,
    }
    if (random.next() < 0.15) network.weather.heldMs = 900_000
    world.note('weather: bad')
    time.after(lasting(world), () => {
      network.weather = { ...calm }
    })
  },
  agentCrash(world: Stricken) {
    const at = some(world, world.datacenters)
    world.note(`crash: agent of ${at.id}`)
    at.crashAgent(world.random.next() * 20_000)
  },
  agentPause(world: Stricken) {
    const at = some(world, world.datacenters)
    world.note(`pause: agent of ${at.id}`)
    at.pauseAgent(world.random.next() * 60_000)
  },
  guardCrash(world: Stricken) {
    const node = some(world, some(world, world.datacenters).nodes)
    world.note(`crash: guard of ${node.id}`)
    node.crashGuard(world.random.next() * 1_000)
  },
  guardPause(world: Stricken) {
    const node = some(world, some(world, world.datacenters).nodes)
    world.note(`pause: guard of ${node.id}`)
    node.pauseGuard(world.random.next() * 10_000)
  },
  reboot(world: Stricken) {
    const at = some(world, world.datacenters)
    const node = some(world, at.nodes)
    world.note(`reboot: ${node.id}`)
    node.off()
    world.time.after(1_000 + world.random.next() * 30_000, () => {
      if (at.isOn()) node.on()
    })
  },
  power(world: Stricken) {
    const at = some(world, world.datacenters)
    world.note(`power off: ${at.id}`)
    at.powerOff()
    world.time.after(lasting(world), () => at.powerOn())
  },
  brokerCrash(world: Stricken) {
    const broker = some(world, world.brokers)
    world.note(`crash: ${broker.id}`)
    broker.off()
    world.time.after(world.random.next() * 20_000, () => broker.on())
  },
  brokerPause(world: Stricken) {
    const broker = some(world, world.brokers)
    world.note(`pause: ${broker.id}`)
    broker.pause(world.random.next() * 60_000)
  },
  slowStore(world: Stricken) {
    world.store.slowMs = world.random.next() * 20_000
    world.time.after(lasting(world), () => {
      world.store.slowMs = 5
    })
  },
  slowDisk(world: Stricken) {
    const at = some(world, world.datacenters)
    const disks = [at.disk, ...at.nodes.map(({ disk }) => disk)]
    for (const disk of disks) disk.slowMs = world.random.next() * 8_000
    world.time.after(lasting(world), () => {
      for (const disk of disks) disk.slowMs = 4
    })
  },
  full(world: Stricken) {
    const at = some(world, world.datacenters)
    at.setFull(true)
    world.time.after(lasting(world), () => at.setFull(false))
  },
  restore(world: Stricken) {
    if (world.random.next() < 0.5) return
    world.note('store: restored from a backup')
    world.store.restore(world.random.next() * 300_000)
    if (world.attest && world.random.next() < 0.3) loseForGood(world)
  },
}

/** No more than one: with most of its sites away a world has nowhere to run anything. */
function loseForGood(world: Stricken): void {
  if (world.datacenters.some((each) => each.isGone())) return
  const at = some(world, world.datacenters)
  world.note(`gone for good: ${at.id}`)
  at.loseForGood()
}

/** Operators move hostings, change peers and confirm; they attest only what is so. */
export function beginOrders(world: World, stormMs: number): void {
  const { time, random, store, datacenters } = world
  const act = () => {
    if (time.now() < stormMs) time.after(2_000 + random.next() * 30_000, act)
    const row = some(world, [...store.rows.values()])
    const target = some(world, datacenters).id
    const choice = random.next()
    if (choice < 0.35) order(world, { order: 'move', hosting: row.hosting, target })
    else if (choice < 0.6) {
      const members = datacenters.map(({ id }) => id).filter((id) => id !== row.holder && random.next() < 0.4)
      order(world, { order: 'peers', hosting: row.hosting, members })
    } else if (choice < 0.8) attest(world)
    else release(world)
  }
  time.after(5_000, act)
}

function order(
  world: World,
  order: Parameters<World['brokers'][0]['hear']>[0] extends infer E
    ? E extends { order: infer O }
      ? O
      : never
    : never,
): void {
  for (const broker of world.brokers) broker.hear({ kind: 'order', order })
}

/** A site without power is fenced from outside: seen off now, so what it held is over. */
export function prove(world: World): void {
  for (const row of world.store.rows.values()) {
    const holder = world.datacenters.find(({ id }) => id === row.holder)
    if (!holder || holder.isOn() || row.over !== undefined) continue
    const witness = world.random.next() < 0.5 ? 'fenced' : 'attested'
    order(world, { order: 'proof', hosting: row.hosting, epoch: row.epoch, witness })
    order(world, { order: 'confirm-failover', hosting: row.hosting })
  }
}

/** They see that sites have no power: what those held is over, and a restored store need not wait for what they know. */
export function attest(world: World): void {
  const datacenters = world.datacenters.filter((each) => !each.isOn()).map(({ id }) => id)
  if (datacenters.length > 0) order(world, { order: 'off', datacenters })
  prove(world)
}

export function release(world: World): void {
  const lost = world.datacenters.filter((each) => !each.isOn()).map(({ id }) => id)
  if (lost.length > 0) order(world, { order: 'release-brake', lost })
}

function calmDown(world: Stricken): void {
  const { network, store, datacenters, brokers, attest } = world
  world.note('calm')
  network.mendAll()
  network.weather = { ...calm }
  store.slowMs = 5
  for (const at of datacenters) {
    at.setFull(false)
    for (const disk of [at.disk, ...at.nodes.map((node) => node.disk)]) disk.slowMs = 4
    if (at.isGone()) continue
    at.powerOn()
    for (const node of at.nodes) node.on()
    at.crashAgent(0)
  }
  for (const broker of brokers) {
    broker.off()
    broker.on()
  }
  // What is at a site that is gone for good comes back by people alone, as long as they are at it.
  if (!attest || !datacenters.some((each) => each.isGone())) return
  for (let ms = 5_000; ms <= 90_000; ms += 5_000) world.time.after(ms, attest)
}
