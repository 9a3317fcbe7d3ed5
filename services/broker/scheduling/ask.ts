/** Quotes: the scheduler's engine call on a picture of its own, by any replica, without taking anything. */
import type { DecisionView, Preemption } from '../../../schemas/index.ts'
import {
  advanceWorld,
  type Decision,
  type Effort,
  explainPreemption,
  type HostingDemand,
  quote,
  scheduleElastic,
} from '../../placement/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import type { AskChange } from '../hosting/index.ts'
import { judge, standingOf } from './changes/decide.ts'
import { decisionView } from './decide.ts'
import { selectDemands } from './load/store.ts'
import { besideNominated, readNominated, roomFor } from './room/nominate.ts'
import { loadPicture, type Picture, refreshPicture, slugOf } from './world.ts'

/** Less than the scheduler takes: other requests wait meanwhile, so now and then a place is not told of. */
const effort: Effort = { sites: 8, hostings: 64 }

/** What the scheduler would say of a request, and of a change of what stands. */
export function createAsks(kit: Kit) {
  const look = createLooking(kit)
  return { ask: createAsk(kit, look), askChange: createAskChange(kit, look) }
}

/** The picture as it is now; one refresh at a time. */
function createLooking(kit: Kit): () => Promise<Picture> {
  let current: Promise<Picture> | undefined
  return async () => {
    const before = current
    // A failed one is forgotten, so that the next quote reads everything again.
    const next = (async () => {
      const known = await before?.catch(() => undefined)
      if (known) await refreshPicture(kit, known)
      const picture = known ?? (await loadPicture(kit, kit.clock.now()))
      picture.nominated = await readNominated(kit)
      return picture
    })()
    current = next
    next.catch(() => {
      if (current === next) current = undefined
    })
    const picture = await next
    advanceWorld(picture.world, kit.clock.now())
    return picture
  }
}

type Look = ReturnType<typeof createLooking>

function createAsk(kit: Kit, look: Look) {
  return async (demand: HostingDemand, names?: Readonly<Record<string, string>>): Promise<DecisionView> => {
    const picture = await look()
    const now = kit.clock.now()
    return besideNominated(picture, demand.id, demand.priority ?? 0, () => {
      const { decision, demand: decided } = scheduleElastic(picture.world, demand, now, quote)
      const preemption = preemptionView(picture, decided, decision, now)
      const view = decisionView(decision, picture, now, { asked: demand, decided }, names)
      return { ...view, ...(preemption && { preemption }) }
    })
  }
}

/** Throws `state-conflict` for what has no place now. */
function createAskChange(kit: Kit, look: Look): AskChange {
  return async (hostingId, { spec, startMs, endMs }) => {
    const [row] = await selectDemands(kit.database, [hostingId])
    const picture = await look()
    const standing = standingOf(picture, hostingId)
    if (!row || !standing) throw new Problem('state-conflict', 'It has no place now')
    const now = kit.clock.now()
    const wanted = { ...row, spec, starts_ms: startMs, ends_ms: endMs }
    const { decision, elsewhere, asked, decided, priceCentsPerMonth } = judge(picture, standing, wanted, now)
    const view = (each: Decision) => decisionView(each, picture, now, { asked, decided }, row.bonds?.names)
    return {
      inPlace: decision.outcome === 'placed',
      decision: view(decision),
      elsewhere: elsewhere ? view(elsewhere) : null,
      priceCentsPerMonth,
    }
  }
}

function preemptionView(
  picture: Picture,
  demand: HostingDemand,
  decision: Decision,
  now: number,
): Preemption | undefined {
  const found = decision.outcome === 'unschedulable' ? roomFor(picture, demand, decision, now, effort) : undefined
  if (!found) return undefined
  const { primary, standby, priceCentsPerMonth } = found.candidate
  const told = {
    primary: slugOf(picture, primary.datacenterId),
    standby: standby ? slugOf(picture, standby.datacenterId) : null,
    priceCentsPerMonth,
    givingWay: found.victims.length,
  }
  return { ...told, text: explainPreemption(told, 'en') }
}
