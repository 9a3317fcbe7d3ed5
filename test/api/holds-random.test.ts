/** Whatever is held, taken over, let go of, forgotten and interrupted, in any order: nothing is claimed twice. */
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { runCycle } from '../../services/broker/scheduling/cycle.ts'
import { endHolds } from '../../services/broker/scheduling/holds/end.ts'
import { schedulingMetrics, selectOverbooked, type Term } from '../../services/broker/scheduling/index.ts'
import { loadPicture, type Picture, refreshPicture } from '../../services/broker/scheduling/world.ts'
import { overcommit } from '../../services/placement/index.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { type TestApi, testApi } from '../support/api.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
const offer = { cpu: '4', memory: '64Gi', pods: '50' }
const term: Term = { epoch: 0, signal: new AbortController().signal }

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hold'), cores: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('host'), cores: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('take', 'take', 'let-go', 'forget'), which: fc.nat({ max: 2 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('decide') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('end-holds', 'restart') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave'), which: fc.nat({ max: 9 }) }) },
) as fc.Arbitrary<{ do: string; cores?: number; which?: number }>

t.setTimeout(300_000)
t.test('nothing is claimed twice', { timeout: 300_000 }, async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      await t.test(`${steps.length} steps`, (t) => walk(t, steps))
      return t.passing()
    }),
    { numRuns: 15, endOnFailure: true },
  )
})

async function walk(t: Test, steps: readonly { do: string; cores?: number; which?: number }[]): Promise<void> {
  const api = await testApi(t)
  const sites = [await api.activeDatacenter({ offer })]
  sites.push(await api.activeDatacenter({ offer, position: { latitude: 53.2, longitude: 6.5 } }))
  const system = { slug: 'zaak', name: 'Z', classes }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body: system })).body.id
  const options = { metrics: schedulingMetrics(createRegistry(), api.kit, () => true), decided: () => undefined }
  let picture = await loadPicture(api.kit, Date.now())
  const quotes: string[] = []
  let names = 0
  /** Hostings that were acknowledged. */
  let promised = 0
  const post = (path: string, body: object) =>
    api.call('consumer', 'POST', path, { body, headers: { prefer: 'wait=0' } })
  const demand = (cores = 1) => ({
    systemId,
    components: [{ name: 'web', replicas: 1, requests: { cpu: String(cores), memory: '1Gi' } }],
    fallback: { mode: 'cold' },
  })
  const deeds: Record<string, (cores: number | undefined, id: string) => Promise<unknown>> = {
    hold: async (cores) => quotes.push((await post('quotes', { ...demand(cores), holdMinutes: 10 })).body.id),
    host: async (cores) => {
      const { status } = await post('hostings', { ...demand(cores), name: `h-${++names}` })
      t.equal(status, 202)
      promised++
    },
    take: async (_, id) => {
      const { request } = (await api.call('consumer', 'GET', `quotes/${id}`)).body
      const { holdMinutes: _minutes, ...asked } = request
      const before = await claimsOf(api, id)
      const { status, body } = await post('hostings', { ...asked, name: `h-${++names}`, quoteId: id })
      t.ok([202, 409].includes(status), `${status}`)
      if (status !== 202) return
      promised++
      t.same(await claimsOf(api, body.id), before, 'the claims stay as they are')
    },
    'let-go': (_, id) => api.call('consumer', 'DELETE', `quotes/${id}`),
    forget: (_, id) =>
      api.kit.database.query(`update quotes set held_until = held_until - interval '1 hour' where id = $1`, [id]),
    decide: () => decide(api, picture, options),
    'end-holds': () => endHolds(api.kit, term),
    restart: async () => {
      picture = await loadPicture(api.kit, Date.now())
    },
    leave: async () => {
      const [hosting] = (await api.call('consumer', 'GET', 'hostings')).body.items
      if (hosting) await api.call('consumer', 'DELETE', `hostings/${hosting.id}`)
    },
  }
  for (const { do: name, cores, which = 0 } of steps) {
    const id = quotes[which % Math.max(1, quotes.length)]
    if (id === undefined && ['take', 'let-go', 'forget'].includes(name)) continue
    await deeds[name]?.(cores, id ?? '')
    t.same(await selectOverbooked(api.kit.database, sites, new Date()), [], name)
  }
  await decide(api, picture, options)
  await api.kit.database.query(`update quotes set held_until = now() - interval '1 minute'`)
  await endHolds(api.kit, term)
  t.equal((await api.call('consumer', 'GET', 'hostings?limit=500')).body.items.length, promised, 'each is there')
  const scratch = await loadPicture(api.kit, Date.now())
  await refreshPicture(api.kit, picture)
  t.same([...picture.world.hostings.keys()].sort(), [...scratch.world.hostings.keys()].sort(), 'as from scratch')
  t.same(overcommit(scratch.world), [], 'for the engine too, node by node')
  t.same(
    await api.kit.database.query(
      `select 1 from claims c left join hostings h on h.id = c.hosting_id where h.id is null or h.wanted = 'held'`,
    ),
    [],
    'what nobody took is free',
  )
}

async function decide(api: TestApi, picture: Picture, options: Parameters<typeof runCycle>[3]): Promise<void> {
  do await refreshPicture(api.kit, picture)
  while (await runCycle(api.kit, term, picture, options))
}

/** By the id of a hosting or of the quote that it is called after. */
const claimsOf = (api: TestApi, id: string) =>
  api.kit.database.query(
    `select c.* from claims c join hostings h on h.id = c.hosting_id where $1 in (h.id, h.name) order by c.id`,
    [id],
  )
