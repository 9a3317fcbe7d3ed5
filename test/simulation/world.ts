/** One seed, one world: datacenters, brokers, a store and a network, before anything has gone wrong. */
import type { DeskEffect, FromSite, Profile, Row } from '../../services/fallback/index.ts'
import { type Random, seededRandom } from '../../services/shared/random.ts'
import { type Broker, createBroker } from './broker.ts'
import { type Checks, createChecks } from './checks.ts'
import type { Core } from './core.ts'
import { createDatacenter, type Datacenter } from './datacenter.ts'
import { createNetwork, type Network } from './network.ts'
import { createStore, type Store } from './store.ts'
import { createTime, type Time } from './time.ts'

export interface World {
  readonly core: Core
  readonly time: Time
  readonly random: Random
  readonly network: Network
  readonly store: Store
  readonly datacenters: readonly Datacenter[]
  readonly brokers: readonly Broker[]
  readonly profile: Profile
  readonly checks: Checks
  /** What happened, for who reads a failing seed. */
  readonly trace: string[]
  note(text: string): void
}

export interface WorldSize {
  readonly datacenters: number
  readonly hostings: number
  readonly brokers: number
}

const pick = (random: Random, from: number, to: number) => from + Math.floor(random.next() * (to - from + 1))

export const drawSize = (random: Random): WorldSize => ({
  datacenters: pick(random, 3, 7),
  hostings: pick(random, 3, 14),
  brokers: pick(random, 1, 3),
})

/** Several times slower. */
export const drawWideSize = (random: Random): WorldSize => ({
  datacenters: pick(random, 3, 9),
  hostings: pick(random, 5, 60),
  brokers: pick(random, 1, 3),
})

export function createWorld(core: Core, seed: number, size?: WorldSize): World {
  const random = seededRandom(seed)
  const { datacenters: count, hostings, brokers: brokerCount } = size ?? drawSize(random)
  const time = createTime()
  const network = createNetwork(time, random)
  const profile = core.profiles.fast
  const ids = Array.from({ length: count }, (_, index) => `d${index}`)
  const rows = Array.from({ length: hostings }, (_, index) => firstRow(random, ids, `h${index}`))
  const store = createStore(time, random, core, rows)
  const trace: string[] = []
  const note = (text: string) => {
    trace.push(`${(time.now() / 1000).toFixed(3).padStart(9)} ${text}`)
  }
  const brokers: Broker[] = []
  const datacenters: Datacenter[] = []
  const checks = createChecks(core, datacenters, time.now, core.waitMs(profile), profile)
  const tellDesk = (from: string, message: FromSite) => {
    for (const broker of brokers) {
      network.send(from, broker.id, () => broker.hear({ kind: 'message', from, message }))
    }
  }
  const perform = (broker: string, effect: DeskEffect) => {
    const { to, message } = effect
    // An answer of a desk that was deposed meanwhile is of a commit before that, which no wait of today counts from.
    if (message.kind === 'renewed' && store.isLeader(broker))
      for (const { hosting } of message.leases) checks.renewedSent(hosting, time.now())
    if (message.kind === 'activate') {
      note(`${broker} offers ${message.hosting} ${core.epochText(message.epoch)} to ${to}`)
      if (store.isLeader(broker)) checks.activateSent(message.hosting, to, store.rows.get(message.hosting), time.now())
    }
    const target = datacenters.find(({ id }) => id === to)
    network.send(broker, to, () => target?.hear({ kind: 'desk', message }))
  }
  for (const id of ids) {
    const nodeCount = pick(random, 1, 2)
    const peer = (other: string) => datacenters.find((each) => each.id === other)
    const started: Parameters<typeof createDatacenter>[0]['started'] = (at, hosting, epoch, gate) => {
      note(`${hosting} ${core.epochText(epoch)} starts at ${at.id}`)
      checks.started(at, hosting, epoch, gate)
    }
    const made = createDatacenter({
      core,
      time,
      random,
      network,
      id,
      nodeCount,
      profile,
      tellDesk,
      peer,
      started,
      lasted: checks.lasted,
      stepped: checks.stepped,
    })
    const own = rows.filter(({ holder }) => holder === id)
    made.disk.state = { incarnation: 0, records: own.map((row) => recordOf(core, row)) }
    datacenters.push(made)
  }
  const options = {
    profile,
    datacenters: ids,
    choose: (row: Row, among: readonly string[]) => rotated(among, row.highest.counter + Number(row.hosting.slice(1))),
    peersFor: (row: Row, holder: string) => peersOf(ids, row, holder),
    lostBeforeBrake: 1,
  }
  for (let index = 0; index < brokerCount; index++) {
    brokers.push(createBroker({ core, time, random, network, id: `b${index}`, store, options, perform }))
  }
  store.onRow = (before, row) => {
    if (before && (before.holder !== row.holder || before.over !== row.over)) {
      note(`${row.hosting} is of ${row.holder} in ${core.epochText(row.epoch)}${row.over ? `, over: ${row.over}` : ''}`)
    }
    checks.rowChanged(before, row)
  }
  for (const each of datacenters) each.powerOn()
  for (const each of brokers) each.on()
  return { core, time, random, network, store, datacenters, brokers, profile, checks, trace, note }
}

const rotated = (ids: readonly string[], by: number) => ids.map((_, index) => ids[(index + by) % ids.length] as string)

function peersOf(ids: readonly string[], row: Row, holder: string): string[] {
  const others = ids.filter((id) => id !== holder && row.leftovers.every(({ datacenter }) => datacenter !== id))
  return rotated(others, Number(row.hosting.slice(1)) + row.epoch.counter).slice(0, 2)
}

function firstRow(random: Random, ids: readonly string[], hosting: string): Row {
  const holder = ids[Math.floor(random.next() * ids.length)] as string
  const epoch = { generation: 1, counter: 1 }
  const row: Row = {
    hosting,
    activity: random.next() < 0.75 ? 'exclusive' : 'pinned',
    policy: random.next() < 0.85 ? 'automatic' : 'confirm',
    epoch,
    highest: epoch,
    holder,
    peers: { version: 0, members: [] },
    leftovers: [],
    amnesia: false,
  }
  return {
    ...row,
    peers: { version: 1, members: peersOf(ids, row, holder).slice(0, 1 + Math.floor(random.next() * 2)) },
  }
}

function recordOf(core: Core, { hosting, activity, epoch }: Row) {
  return {
    hosting,
    activity,
    seen: epoch,
    accepted: epoch,
    since: epoch,
    ended: core.noEpoch,
    refused: core.noEpoch,
    promised: false,
  }
}
