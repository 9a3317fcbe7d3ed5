/** One actor per connected datacenter while this replica leads; connections come and go, one failing touches no other. */
import { type Actor, type ActorDependencies, startActor } from './actor.ts'
import { patiently, pause } from './patience.ts'
import { renewInventories } from './records.ts'
import { type ConnectionRow, selectConnections, selectTodo } from './store.ts'
import { createWake } from './wake.ts'

/** How often is looked without a hint. */
const lookMs = 2_000
/** Between two looks at the least, so that many hints are one. */
const spacingMs = 50
const renewMs = 10_000
/** From this many on, starts are spread so that not all list their pods at once. */
const manyDatacenters = 20
const startSpacingMs = 10

interface Running {
  /** Of the connection. */
  readonly version: number
  readonly actor: Actor
  stop(): Promise<void>
}

/** Runs until aborted; rejects when this replica was deposed. */
export async function runActors(deps: ActorDependencies, term: AbortSignal): Promise<void> {
  const { kit } = deps.ledger
  const failed = new AbortController()
  const signal = AbortSignal.any([term, failed.signal])
  const running = new Map<string, Running>()
  const look = createWake(kit.clock)
  const forgets = ['connections', 'placements'].map((channel) => kit.database.listen(channel, look.wake))
  let deposed: unknown
  const fail = (error: unknown) => {
    deposed ??= error
    failed.abort()
  }
  const start = (row: ConnectionRow) => startRunning(deps, row, signal, fail)
  const lookOnce = async () => {
    await arrange(running, await selectConnections(kit.database), start, () => pause(kit.clock, startSpacingMs, signal))
    for (const id of await selectTodo(kit.database)) running.get(id)?.actor.wake()
  }
  const follow = async () => {
    while (!signal.aborted) {
      await patiently(kit, 'connections', signal, lookOnce)
      await pause(kit.clock, spacingMs, signal)
      await look.wait(lookMs, signal)
    }
  }
  await Promise.all([follow(), renew(deps, running, signal)].map((part) => part.catch(fail)))
  await Promise.all([...running.values()].map(({ stop }) => stop()))
  await Promise.all(forgets.map((forget) => forget()))
  if (deposed !== undefined && !term.aborted) throw deposed
}

/** Stops what has no connection any more or another one, and starts what is new. */
async function arrange(
  running: Map<string, Running>,
  rows: readonly ConnectionRow[],
  start: (row: ConnectionRow) => Running,
  space: () => Promise<void>,
): Promise<void> {
  const present = new Map(rows.map((row) => [row.datacenter_id, row]))
  for (const [id, { version, stop }] of running) {
    if (present.get(id)?.version === version) continue
    running.delete(id)
    await stop()
  }
  for (const [id, row] of present) {
    if (running.has(id)) continue
    running.set(id, start(row))
    if (present.size > manyDatacenters) await space()
  }
}

function startRunning(
  deps: ActorDependencies,
  row: ConnectionRow,
  signal: AbortSignal,
  fail: (error: unknown) => void,
): Running {
  const own = new AbortController()
  const actor = startActor(deps, row, AbortSignal.any([signal, own.signal]))
  const finished = actor.finished.catch(fail)
  return {
    version: row.version,
    actor,
    stop: async () => {
      own.abort()
      await finished
    },
  }
}

/** One statement renews the age of all inventories that are still true. */
async function renew(
  { ledger }: ActorDependencies,
  running: ReadonlyMap<string, Running>,
  signal: AbortSignal,
): Promise<void> {
  const { kit } = ledger
  while (!signal.aborted) {
    await pause(kit.clock, renewMs, signal)
    const ids = [...running].filter(([, { actor }]) => actor.isCurrent()).map(([id]) => id)
    if (ids.length > 0) await patiently(kit, 'ages', signal, () => renewInventories(ledger, ids))
  }
}
