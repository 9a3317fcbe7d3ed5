/** Refusals in words: every rule in both languages, every figure in its unit, groups counted. */
import t from 'tap'
import { explainRefusal, groupRefusals, type Refusal, ruleNames, summarise } from '../../../services/placement/index.ts'
import { gib } from './worlds.ts'

const refusal = (rule: string, facts: Partial<Refusal> = {}): Refusal => ({
  datacenterId: 'x',
  role: 'primary',
  rule,
  ...facts,
})

t.test('figures in the unit people use', async (t) => {
  const memory = refusal('offer-short', {
    resource: 'memory',
    asked: 8 * gib,
    available: 2.5 * gib,
    missing: 5.5 * gib,
  })
  t.equal(explainRefusal(memory, 'en'), 'has 2.5 GiB of memory left on offer, asked is 8 GiB: 5.5 GiB short')
  t.equal(explainRefusal(memory, 'nl'), 'heeft nog 2,5 GiB memory in het aanbod, gevraagd is 8 GiB: 5,5 GiB te weinig')
  const cpu = refusal('node-size', { resource: 'cpu', component: 'web', asked: 1500, available: 250, ageSeconds: 42.7 })
  t.equal(
    explainRefusal(cpu, 'en'),
    'has no node with 1.5 cores of cpu free for one web; the largest has 0.25 cores (seen 42 s ago)',
  )
  t.equal(
    explainRefusal(refusal('classes', { resource: 'integrity', asked: 3, available: 2 }), 'en'),
    'may carry integrity up to class 2, asked is 3',
  )
  t.equal(
    explainRefusal(refusal('inventory-stale'), 'nl'),
    'is voor het laatst gezien nooit: te lang geleden om iets toe te zeggen',
  )
  t.equal(
    explainRefusal(refusal('offer-period', { asked: 'open', available: '2027-03-10T00:00:00.000Z' }), 'en'),
    'has no offer in force at 2027-03-10T00:00:00.000Z, asked is until no end',
  )
})

t.test('of a warm standby it is said which part is short', async (t) => {
  const fit = { component: 'web', asked: 3, available: 1, missing: 2, ageSeconds: 5 }
  const of = (part: 'running' | 'reserved') => refusal('node-fit', { role: 'standby', ...fit, part })
  t.equal(
    explainRefusal(of('running'), 'en'),
    'has nodes for 1 of 3 replicas of web (seen 5 s ago); that is for what runs there',
  )
  t.equal(
    explainRefusal(of('reserved'), 'nl'),
    'heeft nodes voor 1 van 3 replica’s van web (gezien 5 s geleden); dat is voor wat daar gereserveerd wordt',
  )
})

t.test('every rule has a sentence in both languages, without a gap left open', async (t) => {
  const facts = { resource: 'cpu', asked: 1, available: 1, missing: 1, component: 'web', ageSeconds: 1 }
  for (const rule of ruleNames) {
    const [en, nl] = [explainRefusal(refusal(rule, facts), 'en'), explainRefusal(refusal(rule, facts), 'nl')]
    t.notMatch(en + nl + summarise([refusal(rule, facts)], 'en'), /[{}]/, rule)
    t.not(en, nl, rule)
    t.ok(en.length > rule.length, rule)
  }
})

t.test('a rule from elsewhere is shown as it is', async (t) => {
  t.equal(explainRefusal(refusal('toString'), 'en'), 'toString')
})

t.test('groups by role, rule and resource, the largest first', async (t) => {
  const refusals = [
    refusal('region'),
    refusal('offer-short', { resource: 'cpu' }),
    refusal('offer-short', { resource: 'memory' }),
    refusal('offer-short', { resource: 'cpu' }),
    refusal('classes', { resource: 'integrity' }),
    refusal('classes', { resource: 'availability' }),
    refusal('same-site', { role: 'standby' }),
  ]
  t.same(
    groupRefusals(refusals).map(({ role, rule, resource, count }) => [role, rule, resource, count]),
    [
      ['primary', 'classes', undefined, 2],
      ['primary', 'offer-short', 'cpu', 2],
      ['primary', 'offer-short', 'memory', 1],
      ['primary', 'region', undefined, 1],
      ['standby', 'same-site', undefined, 1],
    ],
  )
  t.equal(
    summarise(refusals),
    'refused 6: 2 × security class too low, 2 × not enough cpu on offer, 1 × not enough memory on offer, ' +
      '1 × region not among those asked; refused as standby 1: 1 × is the primary',
  )
  t.match(
    summarise(refusals, 'nl'),
    /^geweigerd 6: 2 × BIV-klasse te laag.*; geweigerd als uitwijk 1: 1 × is de primaire plek$/,
  )
})
