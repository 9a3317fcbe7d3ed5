/** Quotes: the scheduler's engine call on a picture of its own, by any replica, without taking anything. */
import type { DecisionView } from '../../../schemas/index.ts'
import { advanceWorld, type HostingDemand, quote } from '../../placement/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { decisionView } from './decide.ts'
import { loadPicture, type Picture, refreshPicture } from './world.ts'

export function createAsk(kit: Kit): (demand: HostingDemand) => Promise<DecisionView> {
  let current: Promise<Picture> | undefined
  return async (demand) => {
    const before = current
    // One refresh at a time; a failed one is forgotten, so that the next quote reads everything again.
    const next = (async () => {
      const picture = await before?.catch(() => undefined)
      if (!picture) return loadPicture(kit, kit.clock.now())
      await refreshPicture(kit, picture)
      return picture
    })()
    current = next
    next.catch(() => {
      if (current === next) current = undefined
    })
    const picture = await next
    advanceWorld(picture.world, kit.clock.now())
    return decisionView(quote(picture.world, demand, kit.clock.now()), picture, kit.clock.now())
  }
}
