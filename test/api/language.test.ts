/** Explanations in the language of the caller: the same facts, stored once; and what tells one place from another. */
import t from 'tap'
import { preferredLanguage } from '../../services/shared/http/language.ts'
import { testApi } from '../support/api.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }

t.test('which language is preferred', async (t) => {
  for (const [header, language] of [
    [undefined, 'en'],
    ['', 'en'],
    ['*', 'en'],
    ['nl', 'nl'],
    ['NL-be, en;q=0.9', 'nl'],
    ['nl;q=0.5, en;q=0.6', 'en'],
    ['nl;q=0', 'en'],
    ['fr, de;q=0.9, nl;q=0.1', 'nl'],
    ['nlx, xnl', 'en'],
    [`${'x'.repeat(600)}, nl`, 'en'],
  ] as const)
    t.equal(preferredLanguage(header), language, String(header).slice(0, 40))
})

t.test('refusals, summaries and what is nearest', async (t) => {
  const api = await testApi(t)
  const offer = { cpu: '4', memory: '64Gi', pods: '50' }
  await api.activeDatacenter({ slug: 'utrecht', offer })
  await api.activeDatacenter({ slug: 'assen', region: 'drenthe', offer: { ...offer, cpu: '5500m' } })
  await api.activeDatacenter({ slug: 'leeg', offer: null })
  const system = { slug: 'zaak', name: 'Zaak', classes }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body: system })).body.id
  const components = [{ name: 'web', replicas: 1, requests: { cpu: '6', memory: '1Gi' } }]
  const asked = { systemId, components, fallback: { mode: 'none' } }
  api.schedule()

  const en = (await api.call('consumer', 'POST', 'quotes', { body: asked })).body
  t.match(en.decision, {
    outcome: 'unschedulable',
    summary: /^refused 3: 2 × not enough cpu on offer, 1 × no offer over the whole period$/,
    nearestMiss: { datacenter: 'assen', rule: 'offer-short', asked: '6000', available: '5500', missing: '500' },
  })
  const nl = (await api.call('consumer', 'GET', `quotes/${en.id}?language=nl`)).body
  t.match(nl.decision, {
    summary: 'geweigerd 3: 2 × te weinig cpu in het aanbod, 1 × geen aanbod over de hele periode',
    nearestMiss: { message: 'heeft nog 5,5 kernen cpu in het aanbod, gevraagd is 6 kernen: 0,5 kernen te weinig' },
  })
  t.same(
    nl.decision.refusals.map(({ message: _, ...facts }: { message: string }) => facts),
    en.decision.refusals.map(({ message: _, ...facts }: { message: string }) => facts),
    'the facts are the same',
  )

  const headers = { 'accept-language': 'nl', prefer: 'wait=25' }
  const made = await api.call('consumer', 'POST', 'hostings', { body: { ...asked, name: 'zaak' }, headers })
  t.equal(made.headers['content-language'], 'nl')
  t.match(made.body.decision.summary, /^geweigerd/)
  const { id } = made.body
  for (const [path, pick] of [
    [`hostings/${id}`, (body: any) => body],
    ['hostings', (body: any) => body.items[0]],
  ] as const) {
    t.match(pick((await api.call('consumer', 'GET', path)).body).decision.summary, /^refused/)
    const other = await api.call('consumer', 'GET', path, { headers: { 'accept-language': 'nl' } })
    t.match(pick(other.body).decision.summary, /^geweigerd/)
    t.match(other.headers, { 'content-language': 'nl', vary: /accept-language/i })
    t.match(pick((await api.call('consumer', 'GET', `${path}?language=nl`)).body).decision.summary, /^geweigerd/)
  }
  t.equal((await api.call('consumer', 'GET', `hostings/${id}?language=fr`)).status, 400)
  const [, decided] = await api.eventsOf('consumer', id, 2)
  t.match(decided.data, { summary: /^refused/, rule: 'offer-short', resource: 'cpu' }, 'events carry the rule')
  t.match((await api.call('consumer', 'DELETE', `hostings/${id}`, { headers })).body.decision.summary, /^geweigerd/)
})

t.test('the places to choose from, and what tells them from the first', async (t) => {
  const api = await testApi(t)
  const from = { latitude: 52.09, longitude: 5.12 }
  await api.activeDatacenter({ slug: 'utrecht', position: from })
  await api.activeDatacenter({ slug: 'amersfoort', position: { latitude: 52.16, longitude: 5.39 } })
  await api.activeDatacenter({ slug: 'zwolle', position: { latitude: 52.51, longitude: 6.09 } })
  await api.kit.database.query(
    `update offers set tariff = '{"cpu": 12500000}' where datacenter_id = (select id from datacenters where slug = 'zwolle')`,
  )
  await api.kit.database.query('update datacenters set generation = generation + 1')
  const system = { slug: 'zaak', name: 'Zaak', classes }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body: system })).body.id
  const body = {
    systemId,
    components: [{ name: 'web', replicas: 1, requests: { cpu: '4', memory: '1Gi' } }],
    constraints: { maxDistance: { from, km: 200 } },
    fallback: { mode: 'cold' },
  }
  const { decision } = (await api.call('consumer', 'POST', 'quotes', { body })).body
  const [chosen, second, third] = decision.alternatives
  t.same([chosen, second, third].map(({ primary }) => primary.datacenter).sort(), ['amersfoort', 'utrecht', 'zwolle'])
  t.equal(chosen.primary.datacenter, 'utrecht')
  t.notOk(chosen.differences)
  t.same(
    chosen.primary.score.map(({ term }: { term: string }) => term),
    ['price', 'balance', 'distance'],
    'every term of the one chosen',
  )
  t.same(
    chosen.standby.score.map(({ term }: { term: string }) => term),
    ['shared-reserve', 'balance'],
  )
  const zwolle = [second, third].find(({ primary }) => primary.datacenter === 'zwolle')
  t.match(zwolle.differences, [
    { term: 'price', by: 800, text: '€ 8.00 a month dearer' },
    { term: 'distance', text: /^80\.\d km farther$|^8\d(\.\d)? km farther$/ },
    { term: 'standby', text: /^falls back to \w+$/ },
  ])
  const asDutch = await api.call('consumer', 'POST', 'quotes?language=nl', { body })
  const dutch = asDutch.body.decision
  t.match(dutch.summary, /^draait in utrecht, wijkt uit naar \w+$/)
  t.match(
    dutch.alternatives.find((a: any) => a.primary.datacenter === 'zwolle').differences.map((d: any) => d.text),
    ['€ 8,00 per maand duurder', /km verder weg$/, /^wijkt uit naar /],
  )
})
