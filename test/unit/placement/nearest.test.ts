/** P3: the nearest miss lacks least in proportion, and once it is mended that datacenter fits or fails a later rule. */
import fc from 'fast-check'
import t from 'tap'
import { createWorld, explain, type Refusal } from '../../../services/placement/index.ts'
import { anyChoosyDemands, anyChoosySites } from './exact/choosy.ts'
import { mended } from './exact/mend.ts'
import { inWorlds } from './exact/promised.ts'
import { order, type Question } from './exact/rules.ts'
import { play } from './exact/worlds.ts'
import { datacenter, hosting, node, now, offer } from './worlds.ts'

const tally = { misses: 0, placed: 0, later: 0, sameRuleLater: 0, otherPrimary: 0 }

const shareOf = ({ missing, asked }: Refusal) => (missing ?? Number.NaN) / Number(asked)

/** Offers are looked at instant by instant and resource by resource, so that their rules are one stage. */
const ofOffers = ['offer-period', 'offer-missing', 'offer-short', 'fallback-quality']
const ruleStageOf = ({ rule }: Refusal) => order.indexOf(ofOffers.includes(rule) ? 'offer-short' : rule)
/** Of a warm standby what runs is looked at before what waits in the reserve: first room for both, then nodes for both. */
function stageOf(refusal: Refusal): number {
  const rests = refusal.part === 'reserved'
  if (refusal.rule === 'no-standby') return order.length * 4
  const ofNodes = refusal.rule === 'node-size' || refusal.rule === 'node-fit'
  return ofNodes ? order.length * (rests ? 3 : 2) + ruleStageOf(refusal) : 2 * ruleStageOf(refusal) + Number(rests)
}

function decide({ datacenters, hostings, demand }: Question) {
  return explain(createWorld({ datacenters, hostings }, now), demand, now)
}

function primaryOf(refusals: readonly Refusal[]): string | undefined {
  return refusals.find(({ rule }) => rule === 'same-site')?.datacenterId
}

function checkMended(question: Question, refusals: readonly Refusal[], miss: Refusal): void {
  const then = decide(mended(question, miss))
  tally.misses++
  if (then.outcome === 'placed') {
    tally.placed++
    return
  }
  // Standbys are refused for one primary; when it is another now, their reasons cannot be compared.
  if (miss.role === 'standby' && primaryOf(then.refusals) !== primaryOf(refusals)) {
    tally.otherPrimary++
    return
  }
  const next = then.refusals.find(({ datacenterId, role }) => datacenterId === miss.datacenterId && role === miss.role)
  const fail = (why: string) => {
    throw new Error(`${why}: ${JSON.stringify(miss)} was mended, then ${JSON.stringify(next)}`)
  }
  if (!next) throw new Error(`no reason any more, and not placed: ${JSON.stringify(miss)}`)
  if (stageOf(next) < stageOf(miss)) fail('an earlier rule')
  const facts = [
    'rule',
    'resource',
    'component',
    'part',
    'at',
    ...(miss.rule === 'node-fit' ? [] : ['asked' as const]),
  ] as const
  const same = facts.every((fact) => next[fact] === miss[fact])
  if (same) fail('the same again')
  // Of a warm standby first what runs is looked at over all of time, then all of it.
  const earlier = stageOf(next) === stageOf(miss) && Number(next.at) < Number(miss.at)
  if (earlier && question.demand.fallback.mode !== 'warm') fail('an earlier instant')
  tally.later += Number(next.rule !== miss.rule)
  tally.sameRuleLater += Number(next.rule === miss.rule)
}

t.test('what runs of a warm standby has room when mended; then what waits in the reserve may have none', async (t) => {
  const offers = [offer({ amounts: { cpu: 0, memory: 0, pods: 99 } })]
  const site = (id: string, pods: number) =>
    datacenter(id, { nodes: [node('n0', { cpu: 0, memory: 0, pods })], offers })
  const components = ['c0', 'c1'].map((name) => ({ name, replicas: 4, requests: {}, onePerNode: false }))
  const demand = hosting('hst_00', { components, fallback: { mode: 'warm', warmReplicas: 2 } })
  const question = { datacenters: [site('dc_00', 9), site('dc_01', 3)], hostings: [], demand, now }
  const { refusals } = decide(question)
  const miss = standbyOf(refusals, 'dc_01')
  t.match(miss, { rule: 'node-fit', part: 'running', missing: 1 })
  const next = standbyOf(decide(mended(question, miss)).refusals, 'dc_01')
  t.match(next, { rule: 'node-size', part: 'reserved' }, 'an earlier rule, of what is later')
  checkMended(question, refusals, miss)
})

function standbyOf(refusals: readonly Refusal[], datacenter: string): Refusal {
  const found = refusals.find(({ datacenterId, role }) => datacenterId === datacenter && role === 'standby')
  if (!found) throw new Error(`${datacenter} is not refused: ${JSON.stringify(refusals)}`)
  return found
}

t.test('P3: the nearest miss, when mended, is in the way no more', async (t) => {
  inWorlds(
    t,
    'nearest-miss',
    fc.property(anyChoosySites, anyChoosyDemands, (sites, demands) => {
      play(
        sites,
        demands.map((place) => ({ place })),
        (before, demand, _placed, world) => {
          const decision = explain(world, demand, now)
          if (decision.outcome === 'placed') return
          const shares = decision.refusals.map(shareOf).filter((share) => Number.isFinite(share))
          const miss = decision.nearestMiss
          if (!miss) {
            if (shares.length > 0) throw new Error(`something is nearest: ${JSON.stringify(decision.refusals)}`)
            return
          }
          if (shareOf(miss) !== Math.min(...shares)) throw new Error(`not the nearest: ${JSON.stringify(miss)}`)
          checkMended({ ...before, demand, now }, decision.refusals, miss)
        },
      )
    }),
  )
  t.comment(JSON.stringify(tally))
  t.ok(tally.placed > tally.misses / 20 && tally.later > 0, `of ${tally.misses} mended ${tally.placed} were placed`)
})
