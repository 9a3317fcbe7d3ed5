/** The desk on a real store with sites over channels, and drills that are held on it for real. */
import type { Test } from 'tap'
import { type DrillSites, runDrills } from '../../services/broker/drills/index.ts'
import { at, type FallbackStage, fallbackStage, quick, seenEverywhere } from './fallback-stage.ts'
import { until } from './until.ts'

/** There is no cluster behind these sites: what is looked at is ready. */
const nowhere = () => Promise.reject(new Error('there is no cluster behind it'))
const sites: DrillSites = {
  isolate: nowhere,
  start: nowhere,
  remove: nowhere,
  look: async () => ({ wanted: 1, waiting: [] }),
}

export async function liveStage(t: Test) {
  const options = { profile: quick, sites, version: '0.0.0-test', lookMs: 50 }
  const stage = await fallbackStage(t, {
    also: (kit) => ({
      drills: (term) => runDrills(kit, term, options),
      // As the loop over the clusters sees it, of which none runs here.
      seen: async ({ signal }) => {
        while (!signal.aborted) {
          await seenEverywhere(kit.database)
          await kit.clock.sleep(100, signal).catch(() => undefined)
        }
      },
    }),
  })
  return { stage, stop: stage.lead() }
}

/** Hosts it, and waits until it runs and could fall back. */
export async function placed(stage: FallbackStage, name: string, fallback: object, more: object = {}) {
  const { id, ...hosting } = await stage.host(name, fallback, more)
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(id, from)
  await until(async () => (await read(stage, `hostings/${id}`)).fallbackStatus === 'ready', `${name} is ready`)
  return { id: id as string, from, to }
}

export const read = async (stage: FallbackStage, path: string) => (await stage.api.call('loket', 'GET', path)).body

/** The operation of a hosting that waits for a word, when it is there. */
export async function waiting(stage: FallbackStage, hosting: string) {
  let found: any
  await until(async () => {
    const { items } = await read(stage, `operations?hosting=${hosting}&state=awaiting-confirmation`)
    found = items[0]
    return found !== undefined
  }, 'it waits for a word')
  return found
}

const agreed = { kind: 'agreed', statement: 'afgesproken met de beheerder' }
export const confirm = (stage: FallbackStage, operation: string) =>
  stage.api.call('loket', 'POST', `operations/${operation}/confirmations`, { body: agreed })

export async function over(stage: FallbackStage, id: string) {
  await until(
    async () => ['passed', 'failed', 'aborted'].includes((await read(stage, `drills/${id}`)).state),
    'the drill is over',
  )
  return read(stage, `drills/${id}`)
}
