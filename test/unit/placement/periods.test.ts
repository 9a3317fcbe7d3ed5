/** P6: a hosting is decided by what holds over its own period, and by nothing before or after. */
import fc from 'fast-check'
import t from 'tap'
import {
  applyPlacement,
  createWorld,
  explain,
  type HostingDemand,
  type Period,
  type World,
} from '../../../services/placement/index.ts'
import { inWorlds } from './exact/promised.ts'
import { solve } from './exact/solver.ts'
import type { Federation } from './exact/sums.ts'
import { anyDemands, anyEvents, anySites, play, worlds } from './exact/worlds.ts'
import { datacenter, day, gib, hosting, node, now, offer, placedBy } from './worlds.ts'

const overlap = (a: Period, b: Period) => a.start < b.end && b.start < a.end

/** The same without offers and hostings of another time. */
function duringOnly({ datacenters, hostings }: Federation, { period, constraints }: HostingDemand): Federation {
  const ahead = { start: Math.max(period.start, now), end: period.end }
  const named = [...(constraints.together ?? []), ...(constraints.apart ?? [])]
  return {
    datacenters: datacenters.map((dc) => ({ ...dc, offers: dc.offers.filter((o) => overlap(o.period, ahead)) })),
    hostings: hostings.filter(({ demand }) => named.includes(demand.id) || overlap(demand.period, ahead)),
  }
}

/** Whether something was left out. */
function checkOwnPeriod(before: Federation, demand: HostingDemand, world: World): boolean {
  const only = duringOnly(before, demand)
  const [all, during] = [world, createWorld(only, now)].map((w) => JSON.stringify(explain(w, demand, now)))
  if (all !== during) throw new Error(`${all} is not ${during}`)
  return only.hostings.length < before.hostings.length
}

t.test('P6: what is offered and taken at another time changes nothing in the answer', async (t) => {
  let less = 0
  inWorlds(
    t,
    'own-period',
    fc.property(anySites, anyEvents, (sites, events) => {
      play(sites, events, (before, demand, _, world) => {
        less += Number(checkOwnPeriod(before, demand, world))
      })
    }),
  )
  t.ok(less > worlds(300), `${less} answers were given with less`)
})

t.test('no more: who had to leave a node that shrank only next month was looked for another node today', async (t) => {
  const nodes = (id: string, ...names: string[]) => {
    const offers = [offer({ amounts: { cpu: 1e6, memory: 1e4 * gib, pods: 1e4 } })]
    return datacenter(id, { nodes: names.map((name) => node(name, { cpu: 1000 })), offers })
  }
  const asks = (id: string, cpu: number, more: Partial<HostingDemand>) =>
    hosting(id, { ...more, components: [{ name: 'c0', replicas: 1, requests: { cpu }, onePerNode: false }] })
  const today = { start: now, end: now + 10 * day }
  const nextMonth = { start: now + 30 * day, end: now + 40 * day }
  const elsewhere = { constraints: { datacentersNot: ['dc_00'] } }
  const events = [
    { place: asks('hst_00', 250, { fallback: { mode: 'cold' } }) },
    { place: asks('hst_01', 250, { fallback: { mode: 'hot' }, period: nextMonth }) },
    { place: asks('hst_02', 1000, { ...elsewhere, period: nextMonth }) },
    { change: { site: 1, nth: 0, kind: 'shrunk' } },
    { change: { site: 1, nth: 0, kind: 'shrunk' } },
    { place: asks('hst_03', 1000, { ...elsewhere, period: today }) },
  ] as const
  const placed: string[] = []
  play([nodes('dc_00', 'a', 'b'), nodes('dc_01', 'a', 'b')], events, (before, demand, found, world) => {
    t.doesNotThrow(() => checkOwnPeriod(before, demand, world), demand.id)
    if (found) placed.push(demand.id)
  })
  t.same(placed, ['hst_00', 'hst_01', 'hst_02', 'hst_03'])
})

t.test(
  'nor is another node the better one: whoever lost a node only next month takes nothing that it asks for',
  async (t) => {
    const bare = datacenter('dc_00', {
      nodes: [
        node('a', { cpu: 8000, memory: 0, pods: 100 }),
        node('b', { cpu: 4000, memory: 64 * gib, pods: 100 }),
        node('c', { cpu: 500, memory: 2 * gib, pods: 100 }),
      ],
      offers: [offer({ amounts: { cpu: 1e6, memory: 1e4 * gib, pods: 1e4 } })],
    })
    const asks = (id: string, requests: object, period: Period) =>
      hosting(id, { period, components: [{ name: 'c0', replicas: 1, requests: { ...requests }, onePerNode: false }] })
    const events = [
      { place: asks('hst_00', { cpu: 500, memory: gib }, { start: now + 30 * day, end: now + 40 * day }) },
      { change: { site: 0, nth: 2, kind: 'gone' } },
      { place: asks('hst_01', { cpu: 1000 }, { start: now, end: now + 10 * day }) },
    ] as const
    const nodesOf: string[] = []
    play([bare], events, (before, demand, found, world) => {
      t.doesNotThrow(() => checkOwnPeriod(before, demand, world), demand.id)
      nodesOf.push(...(found?.primary?.witness ?? []).map(({ node: name }) => name))
    })
    t.same(nodesOf, ['c', 'b'])
  },
)

t.test('P6: later in the calendar the same is decided as if it were then', async (t) => {
  const until = (demand: HostingDemand): HostingDemand => ({
    ...demand,
    period: { start: now + 5 * day, end: now + 6 * day },
  })
  let placed = 0
  inWorlds(
    t,
    'on-the-day',
    fc.property(anySites, anyDemands, (sites, demands) => {
      const { federation } = play(
        sites,
        demands.map((place) => ({ place })),
        () => undefined,
      )
      const demand = until({ ...(demands[0] as HostingDemand), id: 'hst_last', constraints: {} })
      const ahead = explain(createWorld(federation, now), demand, now).outcome
      // Then, with an inventory as fresh as now; who should be gone by then has been released.
      const then = {
        datacenters: federation.datacenters.map((dc) => ({
          ...dc,
          ...(dc.observedAt && { observedAt: demand.period.start }),
        })),
        hostings: federation.hostings.filter((held) => held.demand.period.end > demand.period.start),
      }
      const at = demand.period.start
      const on = explain(createWorld(then, at), demand, at).outcome
      if (ahead !== on) throw new Error(`ahead ${ahead}, on the day ${on}`)
      if (ahead === 'placed' && !solve({ ...federation, demand, now })) throw new Error('placed what cannot be')
      placed += Number(ahead === 'placed')
    }),
  )
  t.ok(placed > worlds(40), `${placed} were placed`)
})

t.test(
  'P6: who starts in March is checked against March: the day before, the day itself and the day after',
  async (t) => {
    const start = now + 31 * day
    const march = offer({ amounts: { cpu: 1000, memory: gib, pods: 1 }, period: { start, end: start + 31 * day } })
    const world = createWorld({ datacenters: [datacenter('x', { offers: [march] })], hostings: [] }, now)
    const ask = (id: string, from: number, to: number) => hosting(id, { period: { start: from, end: to } })
    const first = ask('first', start, start + 10 * day)
    applyPlacement(world, placedBy(first, explain(world, first, now)))
    const ruling = (demand: HostingDemand) => {
      const decision = explain(world, demand, now)
      return decision.outcome === 'placed' ? 'placed' : decision.refusals[0]
    }
    t.match(ruling(ask('early', start - day, start)), { rule: 'offer-period', at: start - day })
    t.match(ruling(ask('beside', start + 9 * day, start + 11 * day)), { rule: 'offer-short', at: start + 9 * day })
    t.equal(ruling(ask('after', start + 10 * day, start + 31 * day)), 'placed')
    t.match(ruling(ask('late', start + 10 * day, start + 32 * day)), { rule: 'offer-period', at: start + 31 * day })
  },
)
