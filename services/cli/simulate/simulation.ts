/** A federation over time: requests are decided by the engine as it is, events change the world, and nothing else does. */
import type { DecisionView } from '../../../schemas/index.ts'
import {
  advanceWorld,
  applyPlacement,
  createWorld,
  type DatacenterState,
  overcommit,
  releasePlacement,
  replan,
  scheduleElastic,
  upsertDatacenter,
  type Violation,
  viewOf,
  type World,
} from '../../placement/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Federation, SimulatedEvent, SimulatedRequest } from './documents.ts'
import { bondsOf, datacenterState, offerStates, simulatedDemand } from './federation.ts'

/** One thing that happened, and what the engine made of it. */
export interface Step {
  readonly at: string
  readonly type: SimulatedEvent['type']
  /** The hosting, the datacenter, or the node as datacenter/node. */
  readonly subject: string
  readonly decision?: DecisionView
  /** Promises that are not kept from here on and were before, in words. */
  readonly broken: readonly string[]
  /** Those that are kept again. */
  readonly mended: readonly string[]
}

export interface Simulated {
  readonly world: World
  readonly steps: readonly Step[]
  readonly now: number
}

interface Run {
  readonly world: World
  readonly systems: Federation['systems']
  readonly steps: Step[]
  /** Refused, and to be tried again when something has changed. */
  waiting: SimulatedRequest[]
  /** By name, those that have a place. */
  readonly placed: Map<string, SimulatedRequest>
  broken: Set<string>
  now: number
}

/**
 * Begins at `start` (epoch milliseconds) with the requests, the highest priority first, then takes the events by time.
 * The events have been found to name what there is. `tick` is called before each step, for who watches.
 */
export async function simulate(
  federation: Federation,
  requests: readonly SimulatedRequest[],
  events: readonly SimulatedEvent[],
  start: number,
  tick: (done: number) => Promise<void>,
): Promise<Simulated> {
  const datacenters = federation.datacenters.map((given) => datacenterState(given, start))
  const run: Run = {
    world: createWorld({ datacenters, hostings: [] }, start),
    systems: federation.systems,
    steps: [],
    waiting: [],
    placed: new Map(),
    broken: new Set(),
    now: start,
  }
  let done = 0
  for (const request of byPriority(requests)) {
    await tick(done++)
    if (!decide(run, request) && request.waitForCapacity) run.waiting.push(request)
  }
  for (const event of events.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))) {
    await tick(done++)
    happen(run, event)
  }
  return { world: run.world, steps: run.steps, now: run.now }
}

const byPriority = (requests: readonly SimulatedRequest[]) =>
  requests.toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0))

function decide(run: Run, request: SimulatedRequest): boolean {
  const demand = demandIn(run, request)
  const { decision, demand: decided } = scheduleElastic(run.world, demand, run.now)
  const placed = decision.outcome === 'placed'
  if (placed) {
    const { primary, standby } = decision.chosen
    run.placed.set(request.name, request)
    applyPlacement(run.world, { demand: decided, primary, ...(standby && { standby }) })
  }
  const view = viewOf(decision, (id) => run.world.sites.get(id)?.state.slug ?? id, rfc3339(run.now), {
    asked: demand,
    decided,
  })
  note(run, 'hosting.requested', request.name, view)
  return placed
}

function demandIn({ systems, now, placed }: Run, request: SimulatedRequest) {
  return simulatedDemand(request, systems, now, bondsOf(request, placed.values()))
}

function happen(run: Run, event: SimulatedEvent): void {
  run.now = Math.max(run.now, Date.parse(event.at))
  advance(run)
  if (event.type === 'hosting.requested') {
    if (!decide(run, event.request) && event.request.waitForCapacity) run.waiting.push(event.request)
    return
  }
  if (event.type === 'datacenter.drained') {
    drain(run, event.datacenter)
    return
  }
  if (event.type === 'hosting.ended') {
    releasePlacement(run.world, event.hosting)
    run.placed.delete(event.hosting)
  } else upsertDatacenter(run.world, changed(stateOf(run.world, event.datacenter), event))
  const subject = event.type === 'hosting.ended' ? event.hosting : event.datacenter
  note(run, event.type, 'node' in event ? `${subject}/${event.node}` : subject)
  retry(run)
}

/** Carries out the plan that leaves nothing at a datacenter, which takes nothing new from then on. */
function drain(run: Run, slug: string): void {
  const { world, now } = run
  const datacenters = world.order.map(({ state }) => state)
  const hostings = [...world.hostings.values()].map(({ placed }) => placed)
  const goal = { kind: 'drain', datacenterIds: [slug] } as const
  const { moves } = replan({ datacenters, hostings }, now, goal, {}, seededRandom(1).next)
  upsertDatacenter(world, { ...stateOf(world, slug), closedBecause: 'it is drained' })
  note(run, 'datacenter.drained', slug)
  for (const together of Map.groupBy(moves, ({ step }) => step).values()) {
    for (const { hostingId, role, to, reserve } of together) {
      const placed = world.hostings.get(hostingId)?.placed
      if (placed) applyPlacement(world, { ...placed, ...(reserve && { standby: reserve }), [role]: to })
    }
    const seats = together.map(({ role, from, to }) => `${role} from ${from.datacenterId} to ${to.datacenterId}`)
    note(run, 'datacenter.drained', `${together[0]?.hostingId}: ${seats.join(', ')}`)
  }
  retry(run)
}

/** Tells the world the time, and that the inventory is current: in a simulation what is known is known now. */
function advance({ world, now }: Run): void {
  advanceWorld(world, now)
  for (const { state } of [...world.order]) upsertDatacenter(world, { ...state, observedAt: now })
}

function stateOf(world: World, slug: string): DatacenterState {
  const site = world.sites.get(slug)
  if (!site) throw new Error(`${slug} was checked to be there`)
  return site.state
}

type DatacenterEvent = Exclude<SimulatedEvent, { type: 'hosting.requested' | 'hosting.ended' | 'datacenter.drained' }>

function changed(state: DatacenterState, event: DatacenterEvent): DatacenterState {
  const { closedBecause: _, ...open } = state
  switch (event.type) {
    case 'datacenter.cordoned':
      return { ...state, closedBecause: 'it is cordoned' }
    case 'datacenter.uncordoned':
      return open
    case 'offers.changed':
      return { ...state, offers: offerStates(state.slug, event.offers) }
    case 'node.gone':
      return { ...state, nodes: state.nodes.filter(({ name }) => name !== event.node) }
    case 'node.cordoned':
    case 'node.uncordoned': {
      const schedulable = event.type === 'node.uncordoned'
      return {
        ...state,
        nodes: state.nodes.map((node) => (node.name === event.node ? { ...node, schedulable } : node)),
      }
    }
  }
}

/** Those that wait, in their order; only those that find a place make a step. */
function retry(run: Run): void {
  const waiting = byPriority(run.waiting)
  run.waiting = waiting.filter((request) => {
    const demand = demandIn(run, request)
    return scheduleElastic(run.world, demand, run.now).decision.outcome !== 'placed' || !decide(run, request)
  })
}

function note(run: Run, type: Step['type'], subject: string, decision?: DecisionView): void {
  // What a decision changes it has checked itself; all is checked again at the end.
  const broken = decision ? run.broken : new Set(overcommit(run.world, run.now).map(brokenPromise))
  run.steps.push({
    at: rfc3339(run.now),
    type,
    subject,
    ...(decision && { decision }),
    broken: [...broken.difference(run.broken)],
    mended: [...run.broken.difference(broken)],
  })
  run.broken = broken
}

/** In words, without the figures that grow with each event. */
export function brokenPromise({ kind, datacenterId, hostingId, node, domain, resource }: Violation): string {
  const lost = domain === undefined ? '' : ` when ${domain} is lost`
  switch (kind) {
    case 'offer':
      return `${datacenterId} carries more ${resource} than it offers`
    case 'fallback-quality':
      return `${datacenterId} holds more ${resource} for fallback than is offered for good`
    case 'node':
      return `${datacenterId}/${node} has too little ${resource}${lost}`
    case 'node-gone':
      return `${hostingId} counts on ${datacenterId}/${node}, which is gone or cordoned`
    case 'witness':
      return `${hostingId} is not seated whole at ${datacenterId}`
    case 'same-site':
      return `${hostingId} falls back to where it runs, ${datacenterId}`
  }
}
