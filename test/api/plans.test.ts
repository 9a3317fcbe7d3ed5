/** Plans over the API and the command line: what would move and why, for whom it may be asked, and that nothing moves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type TestApi, testApi } from '../support/api.ts'
import { cli } from '../unit/cli/fake-io.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
const stored = 'storage/standaard'

/** Two hostings at `vol`, which has room for them alone; `leeg` has room for both, `krap` for one. */
async function desk(t: Test) {
  const api = await testApi(t)
  const amounts = (cpu: string) => ({ cpu, memory: '64Gi', pods: '50', [stored]: '100Gi' })
  const vol = await api.activeDatacenter({ slug: 'vol', offer: amounts('4'), tariff: { cpu: 1_000_000 } })
  const body = { slug: 'zaak', name: 'Zaak', classes }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body })).body.id
  const stop = api.schedule()
  for (const name of ['een', 'twee']) {
    const { state } = await ask(api, systemId, name)
    if (state !== 'provisioning') throw new Error(`${name} is ${state}`)
  }
  await stop()
  await api.activeDatacenter({ slug: 'leeg', offer: amounts('9'), tariff: { cpu: 9_000_000 } })
  return { api, vol, systemId }
}

async function ask(api: TestApi, systemId: string, name: string) {
  const components = [{ name: 'web', replicas: 1, requests: { cpu: '2', memory: '1Gi' } }]
  const volumes = [{ name: 'data', storageClass: 'standaard', size: '3Gi', accessMode: 'ReadWriteOnce' }]
  const body = { name, systemId, components, volumes, fallback: { mode: 'none' } }
  return (await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=25' } })).body
}

const drain = (id: string) => ({ body: { goal: { kind: 'drain', datacenterIds: [id] } } })

t.test('a drain names every move with its cost, proves it, is kept, and moves nothing', async (t) => {
  const { api, vol } = await desk(t)
  const made = await api.call('provider', 'POST', 'plans', drain(vol))
  t.equal(made.status, 201, JSON.stringify(made.body))
  const { moves, ...plan } = made.body
  t.match(plan, {
    state: 'proposed',
    summary: 'emptying vol: 2 moves, nothing stays behind',
    unmoved: [],
    tally: { unmoved: 0, ejected: 0 },
    bound: { ...made.body.tally, by: 'highs' },
    solver: 'proved',
    priceCentsPerMonth: { before: 400, after: 3600 },
    picture: { current: true },
  })
  t.same(Object.keys(plan.picture.generations).sort(), ['leeg', 'vol'])
  t.match(
    [...moves].sort((a: { hosting: string }, b: { hosting: string }) => (a.hosting < b.hosting ? -1 : 1)),
    ['een', 'twee'].map((hosting) => ({
      hosting,
      role: 'primary',
      from: 'vol',
      to: 'leeg',
      reason: 'goal',
      message: 'the goal asks it',
      cost: { priceChangeCentsPerMonth: 1600, copiedBytes: 3 * 2 ** 30, replicas: 1 },
    })),
  )
  const dutch = (await api.call('provider', 'GET', `plans/${plan.id}?language=nl`)).body
  t.equal(dutch.summary, 'vol leegmaken: 2 verplaatsingen, er blijft niets achter')
  t.equal(dutch.moves[0].message, 'het doel vraagt het')
  t.match((await api.call('loket', 'GET', 'plans')).body.items, [{ id: plan.id }])
  const placed = await api.kit.database.query('select distinct datacenter_id from placements')
  t.same(placed, [{ datacenter_id: vol }], 'nothing has moved')
  t.match(await api.eventsOf('loket', plan.id, 1), [{ type: 'plan.proposed', data: { moves: 2 } }])
  await api.kit.database.query('update datacenters set generation = generation + 1 where id = $1', [vol])
  t.equal((await api.call('loket', 'GET', `plans/${plan.id}`)).body.picture.current, false)
})

t.test('what cannot move is told with the reasons of every datacenter, in both languages', async (t) => {
  const { api, vol, systemId } = await desk(t)
  const stop = api.schedule()
  for (const name of ['drie', 'vier', 'vijf']) await ask(api, systemId, name)
  await stop()
  const { body } = await api.call('loket', 'POST', 'plans?language=nl', drain(vol))
  t.match(body, {
    summary: 'vol leegmaken: 1 verplaatsing, 1 hosting blijft achter',
    unmoved: [{ why: 'refused', roles: ['primary'], message: 'geen datacenter neemt het op' }],
  })
  const rules = body.unmoved[0].decision.refusals.map((r: { datacenter: string; rule: string }) => [
    r.datacenter,
    r.rule,
  ])
  t.same(rules.sort(), [
    ['leeg', 'offer-short'],
    ['vol', 'closed'],
  ])
})

t.test(
  'a reclaim takes only what must go, by when; who asks what is not theirs or makes no sense is refused',
  async (t) => {
    const { api, vol } = await desk(t)
    const offers = (await api.call('provider', 'GET', `datacenters/${vol}/offers`)).body.items
    const goal = { kind: 'reclaim', datacenterIds: [vol], offerId: offers[0].id, at: '2097-01-01T00:00:00Z' }
    const plan = (await api.call('provider', 'POST', 'plans', { body: { goal: { ...goal, amounts: { cpu: '1' } } } }))
      .body
    t.match(plan, { moves: [{ from: 'vol', to: 'leeg', before: '2097-01-01T00:00:00.000Z' }], unmoved: [] })
    t.equal(plan.moves.length, 1)
    const stranger = await api.newParty('provider', 'Ander')
    t.equal((await api.call(stranger, 'POST', 'plans', drain(vol))).status, 403)
    t.equal((await api.call(stranger, 'GET', `plans/${plan.id}`)).status, 404)
    t.equal((await api.call('provider', 'POST', 'plans', { body: { goal: { kind: 'rebalance' } } })).status, 403)
    t.match((await api.call('loket', 'POST', 'plans', { body: { goal: { kind: 'rebalance' } } })).body, {
      imbalance: { before: 692, after: 137 },
      solver: 'not-tried',
    })
    for (const wrong of [{ kind: 'drain' }, { ...goal, at: undefined }, { kind: 'rebalance', datacenterIds: [vol] }])
      t.equal((await api.call('loket', 'POST', 'plans', { body: { goal: wrong } })).status, 400)
    const unknown = { ...goal, offerId: `off_${'0'.repeat(26)}` }
    t.equal((await api.call('loket', 'POST', 'plans', { body: { goal: unknown } })).status, 404)
  },
)

t.test('on the command line', async (t) => {
  const { api } = await desk(t)
  const directory = mkdtempSync(join(tmpdir(), 'gemeentecloud-plans-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const tokens = { provider: api.tokenOf('provider'), loket: api.tokenOf('loket') }
  writeFileSync(join(directory, 'access.json'), JSON.stringify({ api: await api.listen(), tokens }), { mode: 0o600 })
  const run = (...argv: string[]) => cli(argv, { env: { GEMEENTECLOUD_DATA: directory } })
  t.match(await run('datacenter', 'drain', 'vol'), { code: 2, err: /--dry-run/ })
  const drained = await run('datacenter', 'drain', 'vol', '--dry-run')
  t.match(drained, { code: 0, out: /^emptying vol: 2 moves, nothing stays behind\n/ })
  t.match(drained.out, /een +primary +vol +leeg +\+16\.00 +3\.0 +the goal asks it/)
  t.match(drained.out, /No plan is better: proved\./)
  t.match(await run('plan', 'evacuate', 'vol', 'leeg'), { code: 1, out: /2 hostings stay behind/ })
  const listed = await run('plan', 'list')
  t.match(listed, { code: 0, out: /pln_\w+ +proposed/ })
  const id = /pln_\w+/.exec(listed.out)?.[0] ?? ''
  t.match(await run('plan', 'show', id), { code: 0, out: /Plan pln_\w+, not carried out; valid until / })
  const whole = await run('plan', 'show', id)
  for (const begun of [id.slice(0, -1), `${id.slice(0, -1)}…`, `${id.slice(0, -1)}...`])
    t.match(await run('plan', 'show', begun), { code: 0, out: whole.out }, 'by how its id begins')
  t.match(await run('plan', 'show', 'pln_'), { code: 2, err: /several plans|pln_/ })
  for (const none of ['pln_zz…', '../parties', 'leeg', '%00', ''])
    t.match(await run('plan', 'show', none), { code: 3, err: /There is no plan .*\n.*gemeentecloud plan list/ }, none)

  const dutch = await run('datacenter', 'drain', 'vol', '--dry-run', '--language', 'nl')
  t.match(dutch.out, /een +primary +vol +leeg +\+16,00 +3,0 /)
  t.notMatch(dutch.out, /\d\.\d\d /, 'no figure in another way than the others')
  const elsewhere = await api.newParty('provider', 'Ander')
  const stranger = ['--token', elsewhere.token]
  const drainElsewhere = await run('datacenter', 'drain', 'vol', '--dry-run', ...stranger)
  t.match(drainElsewhere, { code: 4, err: /for its own datacenters only[^\n]*--as loket/ })
  t.match(await run('datacenter', 'drain', 'vol', '--dry-run', '--as', 'loket'), { code: 0 })
})
