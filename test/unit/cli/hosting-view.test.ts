/** What a person sees of a decision: who came near before who never could, and a score that adds up. */
import t from 'tap'
import type { DecisionView, Quote, Refusal } from '../../../schemas/index.ts'
import { quoteText } from '../../../services/cli/hosting-view.ts'

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
  return quoteText(quote, plain).split('\n')
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
