/** Re-planning 40 datacenters of 50 nodes: how long a plan takes, and what of it cannot move. */
import {
  applyPlacement,
  createWorld,
  type Goal,
  replan,
  type Snapshot,
  schedule,
} from '../../services/placement/index.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { seededRandom } from '../../services/shared/random.ts'
import { datacenter, gib, hosting, node, now, offer } from '../unit/placement/worlds.ts'

const sites = 40
const nodes = 50
const cpuMillis = nodes * 32_000

/** Filled to a share of the cores on offer, or to the most hostings, half of them with a cold standby on another grid. */
function federation(share: number, most: number): Snapshot {
  const { next } = seededRandom(3)
  const datacenters = Array.from({ length: sites }, (_, i) =>
    datacenter(`dc_${String(i).padStart(2, '0')}`, {
      failureDomains: [`grid/${i % 8}`],
      nodes: Array.from({ length: nodes }, (_, n) => node(`n${n}`, { cpu: 32_000, memory: 128 * gib, pods: 110 })),
      offers: [
        offer({
          id: `off_${i}`,
          amounts: { cpu: cpuMillis, memory: 6_400 * gib, pods: 5_000, 'storage/fast': 100_000 * gib },
          tariff: { cpu: (5 + Math.floor(next() * 10)) * 1_000_000 },
        }),
      ],
    }),
  )
  const world = createWorld({ datacenters, hostings: [] }, now)
  for (let i = 0, cpu = 0; i < most && cpu < share * sites * cpuMillis; i++) {
    // Two replicas on average, and 0 to 7 cores more than the least.
    const cores = Math.ceil((share * sites * cpuMillis) / most / 2_000 - 3.5) + Math.floor(next() * 8)
    const replicas = 1 + Math.floor(next() * 3)
    const demand = hosting(`hst_${String(i).padStart(5, '0')}`, {
      components: [
        { name: 'web', replicas, requests: { cpu: cores * 1000, memory: 2 * cores * gib }, onePerNode: false },
      ],
      volumes: next() < 0.5 ? [{ storageClass: 'fast', bytes: 50 * gib, readWriteMany: false }] : [],
      fallback: next() < 0.5 ? { mode: 'cold', differ: ['grid'] } : { mode: 'none' },
    })
    const decision = schedule(world, demand, now)
    if (decision.outcome !== 'placed') continue
    const { primary, standby } = decision.chosen
    applyPlacement(world, { demand, primary, ...(standby && { standby }) })
    cpu += cores * 1000 * replicas
  }
  return { datacenters, hostings: [...world.hostings.values()].map(({ placed }) => placed) }
}

export function benchReplan() {
  const snapshot = federation(0.6, 2_000)
  const asked = snapshot.hostings.flatMap(({ demand }) => demand.components)
  const cpu = asked.reduce((sum, { replicas, requests }) => sum + replicas * (requests['cpu'] ?? 0), 0)
  const goals: Goal[] = [
    { kind: 'drain', datacenterIds: ['dc_03'] },
    { kind: 'evacuate', datacenterIds: ['dc_03', 'dc_07', 'dc_11'] },
    { kind: 'rebalance' },
    { kind: 'reclaim', datacenterId: 'dc_03', offerId: 'off_3', at: now + 86_400_000, amounts: { cpu: cpuMillis / 2 } },
  ]
  return goals.map((goal) => {
    const before = systemClock.monotonic()
    const { user } = process.cpuUsage()
    const { moves, unmoved } = replan(
      snapshot,
      now,
      goal,
      goal.kind === 'rebalance' ? { maxMoves: 20 } : {},
      seededRandom(1).next,
    )
    return {
      goal: goal.kind,
      sites,
      hostings: snapshot.hostings.length,
      fillPercent: Math.round((100 * cpu) / (sites * cpuMillis)),
      moves: moves.length,
      unmoved: unmoved.length,
      seconds: Math.round(systemClock.monotonic() - before) / 1000,
      cpuSeconds: Math.round((process.cpuUsage().user - user) / 1000) / 1000,
    }
  })
}
