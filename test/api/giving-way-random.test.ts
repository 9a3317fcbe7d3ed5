/** Whatever is asked, gives way, ends and is interrupted, in any order: nothing is claimed twice, nobody is lost. */
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { recordAbsent } from '../../services/broker/clusters/records.ts'
import { runCycle } from '../../services/broker/scheduling/cycle.ts'
import { schedulingMetrics, selectOverbooked, type Term } from '../../services/broker/scheduling/index.ts'
import { followNominated, readNominated } from '../../services/broker/scheduling/room/nominate.ts'
import { loadPicture, type Picture, refreshPicture } from '../../services/broker/scheduling/world.ts'
import { overcommit } from '../../services/placement/index.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { miscounted } from '../support/miscounted.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
const term: Term = { epoch: 0, signal: new AbortController().signal }

const host = fc.record({
  do: fc.constant('host' as const),
  replicas: fc.integer({ min: 1, max: 4 }),
  minReplicas: fc.integer({ min: 1, max: 4 }),
  mode: fc.constantFrom('none', 'cold', 'warm', 'hot'),
  priority: fc.integer({ min: 0, max: 3 }),
  preemptible: fc.boolean(),
  alone: fc.boolean(),
})
const step = fc.oneof(
  { weight: 6, arbitrary: host },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('decide' as const, 'restart' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('absent' as const, 'absent' as const, 'leave' as const),
      which: fc.nat(9),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

t.setTimeout(600_000)
t.test('nothing is claimed twice and nobody is lost', { timeout: 600_000 }, async (t) => {
  let gaveWay = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 40 }), async (steps) => {
      await t.test(`${steps.length} steps`, async (t) => {
        gaveWay += await walk(t, steps)
      })
      return t.passing()
    }),
    { numRuns: 12, endOnFailure: true },
  )
  t.ok(gaveWay > 0, `${gaveWay} gave way`)
})

/** Returns how many gave way. */
async function walk(t: Test, steps: readonly Step[]): Promise<number> {
  const api = await testApi(t)
  const { database } = api.kit
  const sites: string[] = []
  for (const latitude of [52, 52.5, 53])
    sites.push(
      await api.activeDatacenter({
        offer: { cpu: '6', memory: '64Gi', pods: '50' },
        position: { latitude, longitude: 6 },
        cpuMillis: 2500,
      }),
    )
  const body = { slug: 'zaak', name: 'Z', classes }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body })).body.id
  const options = { metrics: schedulingMetrics(createRegistry(), api.kit, () => true), decided: () => undefined }
  let picture = await pictureOf(api)
  const asked: string[] = []
  const deeds = async (step: Step): Promise<unknown> => {
    switch (step.do) {
      case 'host': {
        const { replicas, minReplicas, mode, priority, preemptible, alone } = step
        const least = Math.min(replicas, minReplicas)
        const web = { name: 'web', replicas: least, maxReplicas: replicas, requests: { cpu: '1', memory: '1Gi' } }
        const name = `h-${asked.length}`
        const constraints = alone ? { apartSystems: ['zaak'] } : {}
        const fallback = { mode }
        const wanted = { name, systemId, components: [web], constraints, fallback, priority, preemptible }
        const made = await api.call('consumer', 'POST', 'hostings', { body: wanted, headers: { prefer: 'wait=0' } })
        t.equal(made.status, 202, JSON.stringify(made.body))
        return asked.push(made.body.id)
      }
      case 'decide':
        return decide(api, picture, options)
      case 'restart':
        picture = await pictureOf(api)
        return
      case 'absent':
        return confirmAbsent(api, step.which)
      case 'leave': {
        const id = asked[step.which % Math.max(1, asked.length)]
        return id && api.call('consumer', 'DELETE', `hostings/${id}`)
      }
    }
  }
  for (const step of steps) {
    await deeds(step)
    t.same(await selectOverbooked(database, sites, new Date()), [], step.do)
  }
  for (let busy = true; busy; ) {
    await decide(api, picture, options)
    busy = (await confirmAbsent(api, undefined)) > 0
  }
  t.same(await miscounted(database), [])
  const states = await database.query<{ wanted: string; scheduling: string; claims: number }>(
    `select wanted, scheduling, (select count(*) from claims c where c.hosting_id = h.id and c.released_at is null) as claims
     from hostings h`,
  )
  t.equal(states.length, asked.length)
  for (const { wanted, scheduling, claims } of states) {
    t.ok(
      wanted === 'ended' || ['placed', 'unschedulable'].includes(scheduling),
      `${wanted}, ${scheduling}: nobody hangs`,
    )
    t.equal(
      claims > 0,
      wanted === 'running' && scheduling === 'placed',
      'what is claimed is placed, and the other way round',
    )
  }
  const scratch = await pictureOf(api)
  t.same([...picture.world.hostings.keys()].sort(), [...scratch.world.hostings.keys()].sort(), 'as from scratch')
  for (const { world } of [picture, scratch]) t.same(overcommit(world), [], 'for the engine too, node by node')
  t.equal(picture.nominated.size + picture.leaving.size + scratch.leaving.size, 0)
  const crowded = await database.query(
    `select 1 from bonds b join placements p on p.hosting_id = b.hosting_id and p.wanted = 'present'
       join placements o on o.datacenter_id = p.datacenter_id and o.hosting_id <> p.hosting_id and o.wanted = 'present'`,
  )
  t.same(crowded, [], 'who is to be alone is alone')
  const [told] = await database.query<{ n: number }>(`select count(*) as n from events where type = 'hosting.gave-way'`)
  return told?.n ?? 0
}

async function pictureOf(api: TestApi): Promise<Picture> {
  return { ...(await loadPicture(api.kit, Date.now())), nominated: await readNominated(api.kit) }
}

async function decide(api: TestApi, picture: Picture, options: Parameters<typeof runCycle>[3]): Promise<void> {
  do {
    await refreshPicture(api.kit, picture)
    await followNominated(api.kit, term, picture)
  } while (await runCycle(api.kit, term, picture, options))
}

/** As the cluster loop does when a namespace is seen to be gone: one of those that have to go, or all. Returns how many. */
async function confirmAbsent(api: TestApi, which: number | undefined): Promise<number> {
  const rows = await api.kit.database.query<{ id: string; datacenter_id: string }>(
    `select id, datacenter_id from placements where wanted = 'removed' order by id`,
  )
  const one = which === undefined ? undefined : rows[which % Math.max(1, rows.length)]
  const some = which === undefined ? rows : one ? [one] : []
  for (const { id, datacenter_id } of some) {
    const subject = { id: datacenter_id, slug: datacenter_id, operatorId: api.parties.provider }
    await recordAbsent({ kit: api.kit, epoch: 0 }, subject, id)
  }
  return some.length
}
