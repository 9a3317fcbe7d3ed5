/** Everything that goes on with one datacenter while this replica leads: heartbeat, inventory, reconcile. */
import { Deposed } from '../scheduling/index.ts'
import { type Cluster, reasonOf } from './cluster.ts'
import { beatAndCheck, createPulse, type HeartbeatTiming, type Pulse, subjectOf } from './heartbeat.ts'
import { type InventoryWatch, watchInventory } from './inventory-watch.ts'
import { type Managed, watchManaged } from './managed.ts'
import type { ClusterMetrics } from './metrics.ts'
import { patiently, pause } from './patience.ts'
import { reconcile } from './reconcile.ts'
import { type Ledger, recordInventory } from './records.ts'
import { type ConnectionRow, selectFacts } from './store.ts'
import { createWake, type Wake } from './wake.ts'

export interface Timing extends HeartbeatTiming {
  /** The least time between two writes of an inventory. */
  readonly inventoryMs: number
  /** Between full passes when nothing wakes the loop; each is up to half longer, so that datacenters spread out. */
  readonly passMs: number
  /** Between looks at what is under way. */
  readonly unfinishedMs: number
}

export const defaultTiming: Timing = {
  heartbeatMs: 5_000,
  heartbeatTimeoutMs: 5_000,
  inventoryMs: 1_000,
  passMs: 60_000,
  unfinishedMs: 2_000,
}
/** Between two passes at the least, so that many wakes are one. */
const spacingMs = 100
/** A watch says something every minute, if only that there is nothing; after twice that, what it told has become old. */
const silentMs = 120_000
const backOffMinMs = 500
const backOffMaxMs = 30_000

export interface ActorDependencies {
  readonly ledger: Ledger
  readonly metrics: ClusterMetrics
  readonly timing: Timing
  /** Opens the connection anew; rejects when it cannot be. */
  readonly open: (row: ConnectionRow) => Promise<Cluster>
}

export interface Actor {
  /** Look at the placements now. */
  wake(): void
  /** Answers, and its inventory is what was written: its age may be renewed. */
  isCurrent(): boolean
  /** Resolves when aborted and all is let go; rejects with `Deposed` when another replica leads. */
  readonly finished: Promise<void>
}

interface Life {
  readonly deps: ActorDependencies
  readonly row: ConnectionRow
  readonly signal: AbortSignal
  readonly pulse: Pulse
  readonly passWake: Wake
  readonly inventoryWake: Wake
  inventoryWritten: boolean
  /** Undefined until the watches run. */
  heardAt: () => number | undefined
}

/** Runs until aborted. Whatever fails, but being deposed, is tried again. */
export function startActor(deps: ActorDependencies, row: ConnectionRow, signal: AbortSignal): Actor {
  const { clock } = deps.ledger.kit
  const passWake = createWake(clock)
  const inventoryWake = createWake(clock)
  const back = () => {
    passWake.wake()
    inventoryWake.wake()
  }
  const pulse = createPulse({ ledger: deps.ledger, timing: deps.timing, row, signal, back })
  const life: Life = {
    deps,
    row,
    signal,
    pulse,
    passWake,
    inventoryWake,
    inventoryWritten: false,
    heardAt: () => undefined,
  }
  return {
    wake: passWake.wake,
    isCurrent: () => life.inventoryWritten && pulse.answers() && clock.monotonic() - (life.heardAt() ?? 0) < silentMs,
    finished: live(life, back),
  }
}

async function live(life: Life, back: () => void): Promise<void> {
  const { deps, row, signal, pulse } = life
  const { kit } = deps.ledger
  const cluster = await opened(life)
  if (!cluster) return
  const managed = watchManaged(cluster, { drifted: life.passWake.wake, namespacesChanged: life.inventoryWake.wake })
  const inventory = watchInventory(cluster, life.inventoryWake.wake)
  life.heardAt = inventory.heardAt
  let closed: Promise<void> | undefined
  // Closing also ends the calls under way, so that stopping does not wait for a cluster that does not answer.
  const stop = () => {
    managed.stop()
    inventory.stop()
    closed ??= cluster.close()
    return closed
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const known = await patiently(kit, 'facts', signal, () => selectFacts(kit.database, row.datacenter_id))
    const { nodes, synced } = inventory
    const trouble = () => inventory.trouble() ?? managed.trouble()
    await Promise.all([
      beatAndCheck({ ...deps, row, signal, back, pulse, cluster, known, nodes, synced, trouble }),
      writeInventories(life, inventory, managed, trouble),
      makePasses(life, cluster, managed, trouble),
    ])
  } finally {
    signal.removeEventListener('abort', stop)
    await stop()
  }
}

async function opened({ deps, row, signal, pulse }: Life): Promise<Cluster | undefined> {
  const { clock, log } = deps.ledger.kit
  while (!signal.aborted) {
    try {
      return await deps.open(row)
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, datacenter: row.slug }, 'a connection could not be opened')
      await pulse.heard({ ok: false, reason: reasonOf(error) })
      await pause(clock, deps.timing.heartbeatMs, signal)
    }
  }
  return undefined
}

/** Writes the inventory when it is another, at most once per `inventoryMs`. */
async function writeInventories(
  life: Life,
  inventory: InventoryWatch,
  managed: Managed,
  trouble: () => string | undefined,
): Promise<void> {
  const { deps, row, signal, pulse, inventoryWake } = life
  const { ledger, timing } = deps
  await Promise.all([inventory.synced, managed.synced])
  let last = ''
  while (!signal.aborted) {
    const facts = pulse.facts()
    // Between two heartbeats a cluster may cease to be followed: what is not known must not be written as absent.
    if (facts && pulse.answers() && trouble() === undefined) {
      const seen = inventory.take(managed.isOurs)
      const text = JSON.stringify([seen, facts])
      if (text !== last) {
        await patiently(ledger.kit, 'inventory', signal, () => recordInventory(ledger, subjectOf(row), seen, facts))
      }
      last = text
      life.inventoryWritten = true
      await pause(ledger.kit.clock, timing.inventoryMs, signal)
    }
    await inventoryWake.wait(timing.passMs, signal)
  }
}

/** Compares what is wanted with what stands: when woken, when something is under way, and every now and then. */
async function makePasses(
  { deps, row, signal, pulse, passWake }: Life,
  cluster: Cluster,
  managed: Managed,
  trouble: () => string | undefined,
): Promise<void> {
  const { ledger, timing, metrics } = deps
  const { clock, random, log } = ledger.kit
  await managed.synced
  let failures = 0
  while (!signal.aborted) {
    let waitMs = timing.passMs * (1 + random.next() / 2)
    try {
      if (pulse.answers() && trouble() === undefined) {
        const { unfinished } = await reconcile({ ledger, metrics, cluster, managed }, subjectOf(row))
        if (unfinished) waitMs = timing.unfinishedMs
      }
      failures = 0
    } catch (error) {
      if (error instanceof Deposed) throw error
      failures++
      if (!signal.aborted) log.warn({ err: error, datacenter: row.slug, failures }, 'a pass over a datacenter failed')
      // Not shortened by a wake: what fails may also be what wakes.
      const backOffMs = Math.min(backOffMaxMs, backOffMinMs * 2 ** Math.min(failures, 10))
      await pause(clock, backOffMs * (0.5 + random.next() / 2), signal)
      continue
    }
    await pause(clock, spacingMs, signal)
    await passWake.wait(waitMs, signal)
  }
}
