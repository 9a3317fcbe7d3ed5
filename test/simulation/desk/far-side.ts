/** What the desk finds beside the protocol: whether what runs is ready, and fences that cut power. */
import type { FenceCaller } from '../../../services/broker/fallback/fences/caller.ts'
import type { FinishSites } from '../../../services/broker/fallback/index.ts'
import type { Random } from '../../../services/shared/random.ts'
import type { Datacenter } from '../datacenter.ts'
import type { Network } from '../network.ts'
import type { Time } from '../time.ts'
import type { Life } from './life.ts'

export interface FarSideSetup {
  readonly time: Time
  readonly random: Random
  readonly network: Network
  readonly datacenters: readonly Datacenter[]
  /** Of hostings by id. */
  readonly names: ReadonlyMap<string, string>
  readonly note: (text: string) => void
}

export function createFarSide({ time, random, network, datacenters, names, note }: FarSideSetup) {
  const at = (id: string) => datacenters.find((each) => each.id === id)
  const answers = (life: Life, id: string) =>
    at(id)?.isOn() === true && network.isOpen(life.id, id) && network.isOpen(id, life.id)
  return {
    sites: (life: Life): FinishSites => ({
      promote: async () => ({ state: 'done', reason: null }),
      async look({ datacenter_id: id }, namespace) {
        await life.clock.sleep(5)
        if (!answers(life, id)) throw new Error(`${id} does not answer`)
        const runs = [...names].some(([hosting, name]) => name === namespace && at(id)?.runs(hosting))
        return { wanted: 1, waiting: runs ? [] : ['web is not ready'] }
      },
    }),
    /** Slow, sometimes away, and true when it says that the power is off; somebody turns that on again later. */
    fences: (life: Life): FenceCaller => ({
      refusal: async () => undefined,
      seal: () => Buffer.alloc(0),
      async ask({ datacenter_id: id }) {
        await life.clock.sleep(200 + random.next() * 3_000)
        if (random.next() < 0.2) throw new Error('the fence does not answer')
        if (random.next() < 0.3) return { state: 'pending' }
        const fenced = at(id)
        if (fenced?.isOn()) {
          note(`fenced: ${id}`)
          fenced.powerOff()
          time.after(30_000 + random.next() * 120_000, () => fenced.powerOn())
        }
        return { state: 'fenced', proof: `the power of ${id} is off` }
      },
    }),
  }
}
