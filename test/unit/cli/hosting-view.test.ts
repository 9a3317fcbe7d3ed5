/** What a person sees of a decision: who came near before who never could, and a score that adds up. */
import t from 'tap'
import type { DecisionView, Hosting, Quote, Refusal, System } from '../../../schemas/index.ts'
import { hostingText, quoteText } from '../../../services/cli/hosting-view.ts'
import { mirrorsText } from '../../../services/cli/mirror-view.ts'

const plain = (_tone: unknown, text: string) => text

function refusal(datacenter: string, rule: string, message: string, more: Partial<Refusal> = {}): Refusal {
  return { datacenterId: `dc_${datacenter}`, datacenter, role: 'primary', rule, message, ...more }
}

function linesOf(decision: Partial<DecisionView>): string[] {
  const whole: DecisionView = {
    outcome: 'unschedulable',
    summary: 'refused',
    decidedAt: '2027-01-01T00:00:00Z',
    alternatives: [],
    refusals: [],
    ...decision,
  }
  const quote = { id: 'quo_1', validUntil: '2027-01-01T00:15:00Z', decision: whole } as Quote
  return quoteText(quote, { paint: plain, language: 'en' }).split('\n')
}

t.test('who lies elsewhere is one line for all, behind those who came near', async (t) => {
  const elsewhere = Array.from({ length: 31 }, (_, n) => refusal(`dc${n}`, 'region', 'lies in region utrecht'))
  const short = ['zwolle', 'almelo'].map((name) =>
    refusal(name, 'offer-short', `has 1 of cpu left, asked is 2`, { resource: 'cpu', ageSeconds: 4 }),
  )
  const dear = refusal('emmen', 'price', 'costs too much')
  const lines = linesOf({ refusals: [...elsewhere, ...short, dear], nearestMiss: short[0] as Refusal })
  const table = lines.slice(lines.findIndex((text) => text.startsWith('DATACENTER ')))
  t.same(
    table.slice(1, 6).map((text) => text.split(/ {2,}/)),
    [
      ['zwolle', 'primary', 'has 1 of cpu left, asked is 2', '4 s'],
      ['almelo', 'primary', 'has 1 of cpu left, asked is 2', '4 s'],
      ['emmen', 'primary', 'costs too much'],
      ['31 datacenters', 'primary', 'region not among those asked'],
      [''],
    ],
  )
})

t.test('a refusal that passes by itself says so', async (t) => {
  const stale = (name: string) => refusal(name, 'inventory-stale', 'was last seen 900 s ago')
  const both = ['primary', 'standby'] as const
  const refusals = ['a', 'b'].flatMap((name) => both.map((role) => ({ ...stale(name), role })))
  t.match(linesOf({ refusals }).join('\n'), /^2 not seen for too long\. .* ask again\.$/m)
  t.notMatch(linesOf({ refusals: [refusal('a', 'price', 'dear')] }).join('\n'), /too long/)
})

t.test('a few are told one by one, and so is every one that more room would help', async (t) => {
  const few = ['a', 'b', 'c'].map((name) => refusal(name, 'region', `lies in region ${name}`))
  const many = Array.from({ length: 9 }, (_, n) => refusal(`dc${n}`, 'node-size', 'has no node', { resource: 'cpu' }))
  const text = linesOf({ refusals: [...few, ...many] }).join('\n')
  for (const { datacenter } of [...few, ...many]) t.match(text, new RegExp(`^${datacenter} +primary`, 'm'))
  t.notMatch(text, /\d datacenters/)
})

t.test('the score is the sum of the terms of both places', async (t) => {
  const site = (datacenter: string, ...values: number[]) => ({
    datacenterId: `dc_${datacenter}`,
    datacenter,
    score: values.map((value, n) => ({ term: ['price', 'balance'][n] ?? '', value })),
  })
  const lines = linesOf({
    outcome: 'placed',
    alternatives: [
      { primary: site('a', 1000, 934), standby: site('b', 987), priceCentsPerMonth: 1635 },
      { primary: site('b', 800, 9), standby: null, priceCentsPerMonth: 1700 },
    ],
  })
  t.match(lines, [
    'refused',
    '',
    /^PRIMARY +STANDBY +A MONTH +SCORE +OF WHICH +AGAINST THE FIRST$/,
    /^a +b +€ 16\.35 +2921 +price 1000, balance 934; standby: price 987$/,
    /^b +- +€ 17\.00 +809 +price 800, balance 9$/,
  ])
})

t.test('who has ended has no period that goes on', async (t) => {
  const period = { start: '2027-01-01T00:00:00Z', end: null }
  const reasons = { fallbackReasons: ['standby-does-not-answer', 'drill-overdue'] }
  const periodOf = (state: Hosting['state'], end: string | null = null) => {
    const hosting = {
      name: 'zaak',
      id: 'hst_1',
      state,
      fallback: { mode: 'none' },
      placements: [],
      decision: null,
      ...reasons,
    }
    const whole = { ...hosting, period: { ...period, end }, priceCentsPerMonth: 123_456 } as unknown as Hosting
    const system = { slug: 'zaak', name: 'Zaak' } as System
    const text = hostingText(whole, system, { paint: plain, language: 'nl' })
    t.match(text, /price {5}€ 1234,56 a month/)
    t.match(text, '(asked: none): standby does not answer, drill overdue\n')
    return /period +(.*)/.exec(text)?.[1]
  }
  t.equal(periodOf('running'), `from ${period.start} until further notice`)
  t.equal(periodOf('running', '2028-01-01T00:00:00Z'), `from ${period.start} until 2028-01-01T00:00:00Z`)
  t.equal(periodOf('ending'), `from ${period.start}; it is ending`)
  t.equal(periodOf('ended', '2028-01-01T00:00:00Z'), `from ${period.start}; it has ended`)
})

t.test('how far a standby is, is told with what is lacking and how old the data is', async (t) => {
  const mirror = {
    syncedAt: '2027-01-01T00:00:00Z',
    behindSince: null,
    objects: 12,
    problem: null,
    differences: [],
    data: [{ kind: 'volsync' as const, name: 'data', goodAt: '2027-01-01T00:00:00Z', problem: null }],
  }
  const at = (more: object) => ({ datacenter: 'breda', ...more }) as unknown as Hosting['placements'][number]
  const textOf = (state: object) => mirrorsText([at({ mirror: { ...mirror, ...state } })], plain)
  t.match(textOf({}), /^Mirror at breda: 12 objects, nothing is lacking \(2027-01-01T00:00:00Z\)$/m)
  t.match(textOf({}), /^ {2}data {2}volsync data, last good copy 2027-01-01T00:00:00Z$/m)
  const refused = { kind: 'Secret', name: 'pass\u001b[2Jword', what: 'refused', reason: 'exceeded quota' }
  const text = textOf({ behindSince: '2027-01-01T01:00:00Z', problem: 'breda does not answer', differences: [refused] })
  t.match(text, /^Mirror at breda: 12 objects, behind since 2027-01-01T01:00:00Z$/m)
  t.match(text, /^ {2}breda does not answer$/m)
  t.match(text, /^ {2}refused {2}Secret\/pass\\u001b\[2Jword: exceeded quota$/m)
  t.equal(mirrorsText([at({})], plain), '')
})
