/** One seed, one world: the broker's own controllers and store code, and the sites of the other simulation around them. */
import { hostingLabel } from '../../../services/broker/clusters/core/desired.ts'
import type { KubernetesObject } from '../../../services/broker/clusters/core/objects.ts'
import type { FromDesk, Row } from '../../../services/fallback/index.ts'
import * as core from '../../../services/fallback/index.ts'
import type { Database } from '../../../services/shared/db/database.ts'
import { type Random, seededRandom } from '../../../services/shared/random.ts'
import { type Checks, createChecks } from '../checks.ts'
import { createDatacenter, type Datacenter } from '../datacenter.ts'
import { createNetwork, type Network } from '../network.ts'
import { createTime, type Time } from '../time.ts'
import { type Backup, createBackup } from './backup.ts'
import { createPlayedCluster, type PlayedCluster } from './cluster.ts'
import { createFarSide } from './far-side.ts'
import { createGround, type Ground } from './ground.ts'
import { createReplica, type Replica } from './replica.ts'
import { answeringSameAgain } from './same-again.ts'
import { type SeededSite, seedStore } from './seed.ts'
import { type Watched, watchRows } from './watch.ts'

export interface DeskWorld {
  readonly time: Time
  readonly random: Random
  readonly network: Network
  readonly ground: Ground
  readonly backup: Backup
  /** The store as it is, for who looks from outside. */
  readonly inner: Database
  readonly datacenters: Datacenter[]
  readonly clusters: Map<string, PlayedCluster>
  /** Millicores of each node of each datacenter. */
  readonly nodes: ReadonlyMap<string, readonly number[]>
  readonly replicas: Replica[]
  readonly checks: Checks
  readonly trace: string[]
  readonly watched: Watched
  /** As last committed. */
  readonly rows: ReadonlyMap<string, Row>
  /** Of hostings by id. */
  readonly names: Map<string, string>
  note(text: string): void
  /** The store is put back to its backup, if it has one. */
  restore(): void
  /** Runs on until then; throws the first breach. */
  runUntil(ms: number): Promise<void>
}

export const profile = core.profiles.fast
const nodesEach = 2
const gib = 2 ** 30
const pick = (random: Random, from: number, to: number) => from + Math.floor(random.next() * (to - from + 1))

export async function createDeskWorld(inner: Database, seed: number): Promise<DeskWorld> {
  const random = seededRandom(seed)
  const sites: SeededSite[] = Array.from({ length: pick(random, 3, 5) }, (_, index) => ({
    id: `d${index}`,
    cpuMillis: 4_000 * pick(random, 1, 3),
    memoryBytes: 16 * gib,
    hasFence: random.next() < 0.4,
  }))
  await seedStore(inner, sites)
  const world = await emptyWorld(inner, random, sites, seededRandom(seed + 2 ** 31))
  for (const site of sites) addDatacenter(world, site)
  addReplicas(world, pick(random, 1, 3))
  for (const each of world.datacenters) each.powerOn()
  for (const each of world.replicas) each.on()
  return world
}

async function emptyWorld(
  inner: Database,
  random: Random,
  sites: readonly SeededSite[],
  /** Of its own, so that how many rows there are changes nothing else. */
  order: Random,
): Promise<DeskWorld> {
  const time = createTime()
  const network = createNetwork(time, random)
  const datacenters: Datacenter[] = []
  const trace: string[] = []
  const note = (text: string) => {
    trace.push(`${(time.now() / 1000).toFixed(3).padStart(9)} ${text}`)
  }
  const checks = createChecks(core, datacenters, time.now, core.waitMs(profile), profile)
  const watched = watchRows(inner, checks, note)
  const answering = answeringSameAgain(inner, time, order)
  const ground = createGround({ time, random, network, inner: answering, committed: watched.look })
  const backup = await createBackup(inner)
  const restore = () =>
    ground.run(async () => {
      if (!(await backup.putBack())) return
      note('store: restored from a backup')
      ground.breakAll()
      watched.forget()
      await watched.look()
    })
  const runUntil = async (ms: number) => {
    for (;;) {
      await settled()
      watched.requireNone()
      if (await ground.step()) continue
      if (!time.step(ms)) return
    }
  }
  const { rows } = watched
  const nodes = new Map(sites.map(({ id, cpuMillis }) => [id, Array(nodesEach).fill(cpuMillis / nodesEach)]))
  const made = { datacenters, clusters: new Map(), nodes, replicas: [], names: new Map() }
  return {
    time,
    random,
    network,
    ground,
    backup,
    inner,
    checks,
    trace,
    watched,
    rows,
    note,
    restore,
    runUntil,
    ...made,
  }
}

/** Everything that follows by itself from what has happened has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

function addDatacenter(world: DeskWorld, { id, cpuMillis }: SeededSite): void {
  const { time, random, network, datacenters, clusters, replicas, checks, note } = world
  const made = createDatacenter({
    core,
    time,
    random,
    network,
    id,
    nodeCount: pick(random, 1, 2),
    profile,
    tellDesk: (from, message) => {
      for (const replica of replicas) network.send(from, replica.id, () => replica.hear(from, message))
    },
    peer: (other) => datacenters.find((each) => each.id === other),
    started: (at, hosting, epoch, gate) => {
      note(`${hosting} ${core.epochText(epoch)} starts at ${at.id}`)
      checks.started(at, hosting, epoch, gate)
    },
    lasted: checks.lasted,
    stepped: checks.stepped,
  })
  datacenters.push(made)
  const node = { cpu: `${cpuMillis / nodesEach}m`, memory: '8Gi' }
  const removed = (namespace: KubernetesObject) => {
    made.wanted.delete(namespace.metadata.labels?.[hostingLabel] ?? '')
  }
  clusters.set(id, createPlayedCluster({ time, network, id, isOn: made.isOn, node, nodes: nodesEach, removed }))
}

function addReplicas(world: DeskWorld, count: number): void {
  const { time, random, network, ground, datacenters, clusters, replicas, checks, rows, watched, note } = world
  const farSide = createFarSide(world)
  const send = (from: string, to: string, message: FromDesk) => {
    if (message.kind === 'renewed' && replicas.find(({ id }) => id === from)?.leads())
      for (const { hosting } of message.leases) checks.renewedSent(hosting, time.now())
    if (message.kind === 'activate') {
      note(`${from} offers ${message.hosting} ${core.epochText(message.epoch)} to ${to}`)
      watched.guarded(() => checks.activateSent(message.hosting, to, rows.get(message.hosting), time.now()))
    }
    const target = datacenters.find(({ id }) => id === to)
    network.send(from, to, () => target?.hear({ kind: 'desk', message }))
  }
  for (let index = 0; index < count; index++)
    replicas.push(
      createReplica({
        id: `b${index}`,
        time,
        random,
        profile,
        ground,
        cluster: (life, datacenter) => {
          const cluster = clusters.get(datacenter)
          if (!cluster) throw new Error(`there is no cluster ${datacenter}`)
          return cluster.reachedBy(life)
        },
        send,
        ...farSide,
        failed: (part, line) => note(`${part}: ${JSON.stringify(line).slice(0, 300)}`),
      }),
    )
}
