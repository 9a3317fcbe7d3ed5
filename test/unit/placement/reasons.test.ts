/**
 * P3: each refusal is the first rule that is really broken, with figures that are right, told anew from plain data;
 * the counts add up; and what is nearest, when mended, is in the way no more.
 */
import fc from 'fast-check'
import t from 'tap'
import {
  type DatacenterState,
  type Decision,
  explain,
  groupRefusals,
  type Refusal,
  summarise,
} from '../../../services/placement/index.ts'
import { anyChoosyDemands, anyChoosySites } from './exact/choosy.ts'
import { freeOnNodes, nodesCarry } from './exact/nodes.ts'
import { inWorlds } from './exact/promised.ts'
import { order, primaryReason, type Question, standbyReason } from './exact/rules.ts'
import { staysOf } from './exact/sums.ts'
import { play } from './exact/worlds.ts'
import { now } from './worlds.ts'

const seen = new Map<string, number>()
const tally = { nodeFit: 0, nodeFitUntrue: 0 }

/** Where the standbys' reasons are about: the primary for which they were looked at. */
function primaryOf(question: Question, refusals: readonly Refusal[]): DatacenterState | undefined {
  const same = refusals.find(({ rule, role }) => role === 'standby' && rule === 'same-site')
  return question.datacenters.find(({ id }) => id === same?.datacenterId)
}

function checkRefusal(question: Question, refusal: Refusal, about: DatacenterState | undefined): void {
  const dc = question.datacenters.find(({ id }) => id === refusal.datacenterId)
  if (!dc) throw new Error(`unknown: ${refusal.datacenterId}`)
  if (refusal.role === 'standby' && !about) throw new Error('standbys are refused for no primary')
  const asStandby = refusal.role === 'standby' ? about : undefined
  const first = asStandby ? standbyReason(question, dc, asStandby) : primaryReason(question, dc)
  const fail = (why: string) => {
    throw new Error(`${why}: told ${JSON.stringify(refusal)}, found ${JSON.stringify(first)}`)
  }
  const onNodes = ['node-size', 'node-fit', 'no-standby', 'node-displaced'].includes(refusal.rule)
  if (!onNodes) {
    if (first?.rule !== refusal.rule) fail('another rule is the first')
    for (const fact of ['resource', 'asked', 'available', 'missing', 'at'] as const)
      if (typeof first?.[fact] === 'number' || (fact === 'resource' && first?.resource))
        if (first[fact] !== refusal[fact]) fail(`${fact} is wrong`)
    if (first?.part !== refusal.part) fail('of another part')
    return
  }
  if (first) fail('a rule before it is broken')
  if (refusal.rule === 'no-standby') return
  checkNodes(question, refusal, dc, asStandby)
}

/** What is told of nodes: a replica larger than any has room for, or replicas that find none. */
function checkNodes(
  question: Question,
  refusal: Refusal,
  dc: DatacenterState,
  asStandby: DatacenterState | undefined,
): void {
  const fail = (why: string) => {
    throw new Error(`${why}: ${JSON.stringify(refusal)}`)
  }
  if (refusal.ageSeconds !== (now - (dc.observedAt ?? Number.NaN)) / 1000) fail('the age is wrong')
  const component = question.demand.components.find(({ name }) => name === refusal.component)
  if (!component) fail('of no component')
  const isWarm = refusal.role === 'standby' && question.demand.fallback.mode === 'warm'
  if ((refusal.part !== undefined) !== isWarm) fail('a part is told of a warm standby, and of that alone')
  seen.set(`${refusal.rule} ${refusal.part}`, (seen.get(`${refusal.rule} ${refusal.part}`) ?? 0) + 1)
  if (refusal.missing !== Number(refusal.asked) - Number(refusal.available)) fail('does not add up')
  if (refusal.rule === 'node-size') {
    const resource = refusal.resource ?? ''
    const asks = resource === 'pods' ? 1 : component?.requests[resource]
    const largest = freeOnNodes(question, dc, asStandby, resource).map((free) => Math.max(0, ...free))
    if (refusal.asked !== asks) fail(`asked is ${asks}`)
    // What rests of a warm standby is seated beside what runs of it, which may leave less.
    const [first = 0, second = 0] = largest
    const right = refusal.part === 'reserved' ? Number(refusal.available) <= second : refusal.available === first
    if (!right) fail(`the largest has ${largest}`)
    return
  }
  if (refusal.rule !== 'node-fit') fail('nobody has lost a node')
  const stays = staysOf(question.demand, refusal.role, [], [], now)
  // Of a warm standby what runs and what rests are seated one after the other, and either may find no node.
  const stay = isWarm ? stays.find(({ lands }) => lands === (refusal.part === 'reserved')) : stays[0]
  const asked = stay?.components.find(({ name }) => name === refusal.component)?.replicas
  if (refusal.asked !== asked) fail(`asked is ${asked}`)
  tally.nodeFit++
  tally.nodeFitUntrue += Number(nodesCarry(question, dc, asStandby))
}

function checkCounts(decision: Decision, sites: readonly DatacenterState[]): void {
  const { refusals } = decision
  const groups = groupRefusals(refusals)
  const total = groups.reduce((sum, { count }) => sum + count, 0)
  if (total !== refusals.length) throw new Error(`groups count ${total} of ${refusals.length}`)
  if (decision.outcome !== 'unschedulable') return
  const ofRole = (role: string) => refusals.filter((r) => r.role === role)
  if (ofRole('primary').length !== sites.length) throw new Error('a datacenter without a reason')
  if (decision.summary !== summarise(refusals)) throw new Error('another summary')
  const told = [...decision.summary.matchAll(/(\d+) ×/g)].reduce((sum, [, count]) => sum + Number(count), 0)
  if (told !== refusals.length) throw new Error(`the summary counts ${told} of ${refusals.length}`)
}

t.test('P3: every refusal is the first rule that is really broken, with the right figures', async (t) => {
  inWorlds(
    t,
    'reasons',
    fc.property(anyChoosySites, anyChoosyDemands, (sites, demands) => {
      play(
        sites,
        demands.map((place) => ({ place })),
        (before, demand, _placed, world) => {
          const question = { ...before, demand, now }
          const decision = explain(world, demand, now)
          checkCounts(decision, before.datacenters)
          const about = primaryOf(question, decision.refusals)
          for (const refusal of decision.refusals) {
            seen.set(refusal.rule, (seen.get(refusal.rule) ?? 0) + 1)
            checkRefusal(question, refusal, about)
          }
        },
      )
    }),
  )
  t.comment(JSON.stringify({ ...Object.fromEntries(seen), ...tally }))
  const unseen = order.filter((rule) => !seen.has(rule) && rule !== 'node-displaced')
  t.same(unseen, [], 'every rule comes up')
  t.ok(
    tally.nodeFitUntrue <= 0.001 * tally.nodeFit,
    `node-fit was untrue ${tally.nodeFitUntrue} of ${tally.nodeFit} times`,
  )
})
