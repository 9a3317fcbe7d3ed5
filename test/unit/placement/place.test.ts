/** The quick decision: it finds a place exactly where a look at all does, and its index is never behind. */
import fc from 'fast-check'
import t from 'tap'
import { requestOf } from '../../../services/placement/demand.ts'
import { notesOn } from '../../../services/placement/filter.ts'
import {
  applyPlacement,
  createWorld,
  explain,
  overcommit,
  type PlacedHosting,
  place,
  releasePlacement,
  schedule,
  upsertDatacenter,
  type World,
} from '../../../services/placement/index.ts'
import { quotedPrice } from '../../../services/placement/price.ts'
import { isRoom, roomAt } from '../../../services/placement/reserve.ts'
import { anyDatacenters, anyHosting, anySteps, datacenter, hosting, now } from './worlds.ts'

const runs = 800

function seat(demand: PlacedHosting['demand'], { primary, standby }: NonNullable<ReturnType<typeof place>>) {
  return { demand, primary, ...(standby && { standby }) }
}

t.test('it places exactly what can be placed, and nothing is overcommitted by it', async (t) => {
  let placed = 0
  let refused = 0
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyDatacenters, anySteps, (datacenters, steps) => {
        const world = createWorld({ datacenters, hostings: [] }, now)
        const live: string[] = []
        for (const step of steps) {
          if (step.kind === 'release') {
            for (const gone of live.splice(step.nth, 1)) releasePlacement(world, gone)
            continue
          }
          const quick = place(world, step.demand, now)
          const thorough = explain(world, step.demand, now).outcome === 'placed'
          if ((quick !== undefined) !== thorough)
            throw new Error(`quick ${quick !== undefined}, thorough ${thorough}: ${JSON.stringify(step.demand)}`)
          if (!quick) {
            refused++
            continue
          }
          placed++
          applyPlacement(world, seat(step.demand, quick))
          live.push(step.demand.id)
        }
        const found = overcommit(world, now)
        if (found.length > 0) throw new Error(JSON.stringify(found[0]))
      }),
      { numRuns: runs },
    ),
  )
  t.ok(placed > runs / 2 && refused > runs / 2, `both happen: ${placed} placed, ${refused} refused`)
})

t.test('a world whose index was kept step by step answers as one built from scratch', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        anyDatacenters,
        anyDatacenters,
        anySteps,
        anyHosting('hst_last'),
        (told, toldLater, steps, demand) => {
          const world = createWorld({ datacenters: told, hostings: [] }, now)
          const live: PlacedHosting[] = []
          for (const step of steps) {
            // Asked in between, so that the index is there and has to be kept.
            place(world, demand, now)
            if (step.kind === 'release') {
              for (const gone of live.splice(step.nth, 1)) releasePlacement(world, gone.demand.id)
              continue
            }
            const quick = place(world, step.demand, now)
            if (!quick) continue
            applyPlacement(world, seat(step.demand, quick))
            live.push(seat(step.demand, quick))
          }
          const states = [...told]
          for (const state of toldLater) {
            upsertDatacenter(world, state)
            place(world, demand, now)
            const at = states.findIndex(({ id }) => id === state.id)
            if (at < 0) states.push(state)
            else states[at] = state
          }
          const rebuilt = createWorld({ datacenters: states, hostings: live }, now)
          const [kept, fresh] = [world, rebuilt].map((w) => JSON.stringify(place(w, demand, now)))
          if (kept !== fresh) throw new Error(`${kept} is not ${fresh}`)
          if (boundsOf(world) !== boundsOf(rebuilt)) throw new Error('the bounds differ')
        },
      ),
      { numRuns: runs },
    ),
  )
})

t.test('what the rows tell of a primary is what the rules say of it', async (t) => {
  let compared = 0
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyDatacenters, anySteps, (datacenters, steps) => {
        const world = createWorld({ datacenters, hostings: [] }, now)
        for (const step of steps) {
          const found = step.kind === 'release' ? undefined : place(world, step.demand, now)
          if (step.kind === 'release' || !found) continue
          const site = world.sites.get(found.primary.datacenterId)
          const request = requestOf(world, step.demand, now)
          const price = site && quotedPrice(request.amounts, site.state.offers, request.period)
          const said = {
            cents: found.priceCentsPerMonth,
            offerId: found.primary.offerId,
            balance: found.primary.score.find(({ term }) => term === 'balance')?.value,
            notes: found.notes.filter(({ datacenterId }) => datacenterId === found.primary.datacenterId),
          }
          const room = site && roomAt(site, request.need, request.period, undefined)
          const weight = step.demand.constraints.weights?.balance ?? 100
          const balance = room && isRoom(room) ? Math.floor((room.headroom * weight) / 100) : undefined
          const ruled = { ...price, balance, notes: site && notesOn(site, request) }
          const [a, b] = [said, { cents: ruled.cents, offerId: ruled.offerId, balance, notes: ruled.notes }]
          if (JSON.stringify(a) !== JSON.stringify(b))
            throw new Error(`${JSON.stringify(a)} is not ${JSON.stringify(b)}`)
          compared++
          applyPlacement(world, seat(step.demand, found))
        }
      }),
      { numRuns: runs },
    ),
  )
  t.ok(compared > runs / 2, `${compared} were compared`)
})

/** By name of the resource, for the order in which they became known differs. */
function boundsOf(world: World): string {
  const { index, resources, order } = world
  if (!index) return 'none'
  const cell = (role: 'primary' | 'standby', slot: number, column: number) =>
    index[role].bounds[(index[role].size + slot) * index[role].width + column]
  return JSON.stringify(
    order.map((site, slot) => [
      site.state.id,
      ...resources.names
        .map((name, at) =>
          [
            name,
            ...(['primary', 'standby'] as const).flatMap((role) => [
              cell(role, slot, at),
              cell(role, slot, index.resources + at),
            ]),
          ].join(' '),
        )
        .filter((line) => !/ -1 0 -1 0$/.test(line))
        .sort(),
    ]),
  )
}

t.test('in a large federation the quick decision is taken, and who is refused is told why by each', async (t) => {
  const world = createWorld({
    datacenters: Array.from({ length: 200 }, (_, i) => datacenter(`dc_${String(i).padStart(3, '0')}`)),
    hostings: [],
  })
  const placed = schedule(world, hosting('hst_1', { fallback: { mode: 'cold' } }), now)
  t.match(placed, { outcome: 'placed', refusals: [], alternatives: [] })
  const big = hosting('hst_2', {
    components: [{ name: 'web', replicas: 1, requests: { cpu: 5000, memory: 1 }, onePerNode: false }],
  })
  const refused = schedule(world, big, now)
  t.equal(refused.outcome, 'unschedulable')
  t.equal(refused.refusals.length, 200)
  t.equal(place(world, hosting('hst_3', { constraints: { regions: ['zuid'] } }), now), undefined)
})

t.test('requests of many ids are spread over the federation', async (t) => {
  const world = createWorld({
    datacenters: Array.from({ length: 160 }, (_, i) => datacenter(`dc_${String(i).padStart(3, '0')}`)),
    hostings: [],
  })
  const used = new Set<string>()
  for (let i = 0; i < 300; i++) {
    const found = place(world, hosting(`hst_${i}`), now)
    if (found) used.add(found.primary.datacenterId)
  }
  t.ok(used.size > 60, `${used.size} datacenters were chosen`)
})
