/** What is stored is enough to say it again in another language, as if the engine had said it itself. */
import fc from 'fast-check'
import t from 'tap'
import { explainRefusal, summarise } from '../../../services/placement/explain.ts'
import { faults, inLanguage, type Refusal, ruleNames, viewOf } from '../../../services/placement/index.ts'

const figure = fc.oneof(
  fc.nat(),
  fc.nat({ max: 2 ** 50 }),
  fc.float({ min: 0, max: 500, noNaN: true }),
  fc.constantFrom('iso27001', 'drenthe', 'open', 'nowhere', '2027-01-01T00:00:00.000Z'),
)
const refusal: fc.Arbitrary<Refusal> = fc.record(
  {
    datacenterId: fc.constantFrom('dc_a', 'dc_b', 'dc_c'),
    role: fc.constantFrom('primary', 'standby'),
    rule: fc.constantFrom(...ruleNames),
    resource: fc.constantFrom('cpu', 'memory', 'pods', 'nvidia.com/gpu', 'storage/standaard'),
    component: fc.constant('web'),
    asked: figure,
    available: figure,
    missing: fc.nat(),
    ageSeconds: fc.nat(),
  },
  { requiredKeys: ['datacenterId', 'role', 'rule'] },
)
const slug = (id: string) => id.replace(/^dc_/, '')

t.test('refused: each reason and the summary', async (t) => {
  fc.assert(
    fc.property(fc.array(refusal, { minLength: 1, maxLength: 8 }), (refusals) => {
      const [nearest] = refusals
      const decision = { outcome: 'unschedulable', summary: summarise(refusals), refusals } as const
      const view = viewOf({ ...decision, ...(nearest && { nearestMiss: nearest }) }, slug, '2027-01-01T00:00:00Z')
      const dutch = inLanguage(JSON.parse(JSON.stringify(view)), 'nl')
      t.same(
        dutch.refusals.map(({ message }) => message),
        refusals.map((each) => explainRefusal(each, 'nl')),
      )
      t.equal(dutch.summary, summarise(refusals, 'nl'))
      t.equal(dutch.nearestMiss?.message, nearest && explainRefusal(nearest, 'nl'))
      t.equal(inLanguage(view, 'en'), view, 'it is in English')
    }),
    { numRuns: 200 },
  )
})

t.test('no datacenter, and faults of ours', async (t) => {
  const said = (summary: string) => {
    const view = viewOf({ outcome: 'unschedulable', summary, refusals: [] }, slug, '2027-01-01T00:00:00Z')
    return inLanguage(view, 'nl').summary
  }
  t.equal(said(summarise([])), 'er doet geen datacenter mee')
  for (const { en, nl } of Object.values(faults)) t.equal(said(en), nl)
})

t.test('placed: the summary and what tells the others from the first', async (t) => {
  const site = (datacenterId: string, headroom = 500) => ({
    datacenterId,
    witness: [],
    score: [],
    offerId: '',
    headroom,
  })
  const standby = ({ datacenterId }: { datacenterId: string }) => ({ datacenterId, witness: [], score: [] })
  const view = viewOf(
    {
      outcome: 'placed',
      chosen: {
        primary: { ...site('dc_a'), distanceKm: 10 },
        standby: standby(site('dc_b')),
        priceCentsPerMonth: 1_000,
        notes: [],
      },
      alternatives: [
        { primary: { ...site('dc_b', 625), distanceKm: 4 }, priceCentsPerMonth: 1_000, notes: [] },
        {
          primary: { ...site('dc_c', 499), distanceKm: 10.04 },
          standby: standby(site('dc_b')),
          priceCentsPerMonth: 5,
          notes: [],
        },
      ],
      refusals: [],
      passedOver: [],
    },
    slug,
    '2027-01-01T00:00:00Z',
  )
  const texts = (language: 'en' | 'nl') =>
    inLanguage(view, language).alternatives.map(({ differences }) => differences?.map(({ text }) => text))
  t.same(texts('en'), [
    undefined,
    ['costs the same', '6 km nearer', 'leaves 12.5 % more room', 'without fallback'],
    ['€ 9.95 a month cheaper', 'leaves 0.1 % less room'],
  ])
  t.same(texts('nl'), [
    undefined,
    ['kost hetzelfde', '6 km dichterbij', 'laat 12,5 % meer ruimte', 'zonder uitwijk'],
    ['€ 9,95 per maand goedkoper', 'laat 0,1 % minder ruimte'],
  ])
  t.equal(view.summary, 'runs at a, falls back to b')
  t.equal(inLanguage(view, 'nl').summary, 'draait in a, wijkt uit naar b')
})
