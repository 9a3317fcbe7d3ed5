/** Runs a world through its storm and looks whether everything has come to rest where it should. */
import { Breach } from './checks.ts'
import type { Core } from './core.ts'
import { attest, beginFaults, beginOrders } from './faults.ts'
import { createWorld, type World, type WorldSize } from './world.ts'

export interface Outcome {
  readonly seed: number
  readonly breach?: string
  readonly trace: readonly string[]
  readonly grants: number
}

const stormMs = 600_000

export function runSeed(core: Core, seed: number, size?: WorldSize): Outcome {
  const world = createWorld(core, seed, size)
  const waitMs = core.waitMs(world.profile)
  try {
    beginFaults({ ...world, attest: () => attest(world) }, stormMs)
    beginOrders(world, stormMs)
    world.time.runUntil(stormMs + 8 * waitMs)
    const settled = world.checks.grants.length
    world.time.runUntil(stormMs + 12 * waitMs)
    atRest(world, settled)
  } catch (error) {
    if (!(error instanceof Breach)) throw error
    world.note(error.message)
    return { seed, breach: error.message, trace: world.trace, grants: world.checks.grants.length }
  }
  return { seed, trace: world.trace, grants: world.checks.grants.length }
}

function atRest({ core, store, datacenters, checks }: World, settled: number): void {
  if (checks.grants.length > settled) throw new Breach('L4', 'something moved though nothing had happened')
  const gone = new Set(datacenters.filter((at) => at.isGone()).map(({ id }) => id))
  for (const row of store.rows.values()) {
    const { hosting, holder } = row
    if (row.amnesia) throw new Breach('L5', `${hosting} is still not known again`)
    const running = datacenters.filter((at) => at.runs(hosting)).map(({ id }) => id)
    if (running.length === 0)
      throw new Breach('L1', `${hosting} of ${holder} runs nowhere${row.over ? `, over: ${row.over}` : ''}`)
    if (running[0] !== holder) throw new Breach('L1', `${hosting} of ${holder} runs at ${running.join(', ')}`)
    const left = row.leftovers.find(({ datacenter }) => !gone.has(datacenter))
    if (left) throw new Breach('L3', `${hosting} left something at ${left.datacenter}`)
    if (core.isLater(row.highest, row.epoch)) throw new Breach('L2', `the peers of ${hosting} cannot promise`)
    if (row.saga || row.offer) throw new Breach('L5', `${hosting}: ${row.saga?.id ?? 'an offer'} has not ended`)
  }
  for (const at of datacenters.filter(({ id }) => !gone.has(id))) {
    for (const { hosting, seen, accepted, ended } of at.site()?.records.values() ?? []) {
      const row = store.rows.get(hosting)
      if (row && core.isLater(seen, row.epoch))
        throw new Breach('L2', `${at.id} cannot promise ${hosting} to its holder`)
      if (row?.holder !== at.id && core.isLater(accepted, ended))
        throw new Breach('L3', `${hosting} is still held at ${at.id}, for all it knows`)
    }
    for (const hosting of at.wanted.keys()) {
      if (store.rows.get(hosting)?.holder !== at.id) throw new Breach('L3', `${hosting} is still wanted at ${at.id}`)
    }
  }
}
