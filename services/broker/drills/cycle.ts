/** The drills of the leader: those that are due are begun, and each that is under way goes on, one slow one stalling no other. */
import type { Kit } from '../../shared/kit.ts'
import { createWake, patiently } from '../clusters/index.ts'
import { createLanes, Deposed, type Term } from '../scheduling/index.ts'
import { beginDue } from './plans/due.ts'
import { advance } from './runs/advance.ts'
import type { DrillContext } from './runs/step.ts'
import { selectLive } from './runs/store.ts'

export interface DrillOptions extends Omit<DrillContext, 'kit' | 'epoch'> {
  /** How often is looked without a hint; two seconds when absent. */
  readonly lookMs?: number
}

const usualLookMs = 2_000
const atOnce = 8

/** Runs until the term ends; rejects when another replica leads. */
export async function runDrills(kit: Kit, { epoch, signal: term }: Term, options: DrillOptions): Promise<void> {
  const { lookMs = usualLookMs, ...rest } = options
  const context: DrillContext = { kit, epoch, ...rest }
  const wake = createWake(kit.clock)
  const forget = kit.database.listen('drills', wake.wake)
  const lanes = createLanes(term, atOnce)
  const { signal } = lanes
  const go = async (id: string) => {
    try {
      while (!signal.aborted && (await advance(context, id))) {}
    } catch (error) {
      if (error instanceof Deposed) throw error
      if (!signal.aborted) kit.log.warn({ err: error, drill: id }, 'a drill could not go on just now')
    }
  }
  try {
    while (!signal.aborted) {
      await patiently(kit, 'drills', signal, async () => {
        await beginDue(context)
        for (const { id } of await selectLive(kit.database)) lanes.begin(id, () => go(id))
      })
      await wake.wait(lookMs, signal)
    }
  } finally {
    await lanes.close().finally(forget)
  }
}
