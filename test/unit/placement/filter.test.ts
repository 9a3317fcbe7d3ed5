/**
 * Each hard constraint: the datacenter that just meets it passes, the one that just does not is refused by that rule
 * with its figures.
 */
import t from 'tap'
import {
  type Constraints,
  createWorld,
  type DatacenterState,
  type FallbackDemand,
  maxInventoryAgeMs,
  schedule,
  type VolumeDemand,
} from '../../../services/placement/index.ts'
import { datacenter, day, gib, hosting, now, offer } from './worlds.ts'

interface Case {
  readonly name: string
  readonly state?: Partial<DatacenterState>
  readonly constraints?: Constraints
  readonly volumes?: readonly VolumeDemand[]
  readonly period?: { start: number; end: number }
  readonly refused?: Readonly<Record<string, unknown>>
}

const month = { start: now, end: now + 30 * day }
const classes = { availability: 2, integrity: 2, confidentiality: 2 }
const volume = (storageClass: string, readWriteMany = false) => [{ storageClass, bytes: gib, readWriteMany }]
const here = { latitude: 53.2, longitude: 6.5 }

const cases: readonly Case[] = [
  { name: 'region asked', constraints: { regions: ['zuid', 'noord'] } },
  {
    name: 'another region asked',
    constraints: { regions: ['zuid'] },
    refused: { rule: 'region', asked: 'zuid', available: 'noord' },
  },
  { name: 'no region allowed', constraints: { regions: [] }, refused: { rule: 'region' } },
  { name: 'region excluded', constraints: { regionsNot: ['noord'] }, refused: { rule: 'region-excluded' } },
  {
    name: 'operator excluded',
    constraints: { operatorsNot: ['party_x'] },
    refused: { rule: 'operator-excluded', available: 'party_x' },
  },
  { name: 'datacenter excluded', constraints: { datacentersNot: ['x'] }, refused: { rule: 'datacenter-excluded' } },
  { name: 'classes equal', state: { classes }, constraints: { classes } },
  {
    name: 'one class lower',
    state: { classes: { ...classes, integrity: 1 } },
    constraints: { classes },
    refused: { rule: 'classes', resource: 'integrity', asked: 2, available: 1, missing: 1 },
  },
  {
    name: 'evidence until the very end',
    state: { evidence: { nen7510: month.end } },
    constraints: { evidence: ['nen7510'] },
    period: month,
  },
  {
    name: 'evidence in force now but not to the end',
    state: { evidence: { nen7510: month.end - 1 } },
    constraints: { evidence: ['nen7510'] },
    period: month,
    refused: { rule: 'evidence', asked: 'nen7510', available: '2027-03-30T23:59:59.999Z' },
  },
  { name: 'evidence missing', constraints: { evidence: ['nen7510'] }, refused: { rule: 'evidence', asked: 'nen7510' } },
  {
    name: 'evidence by a name every object has',
    constraints: { evidence: ['constructor'] },
    refused: { rule: 'evidence' },
  },
  {
    name: 'evidence expired, open end',
    state: { evidence: { nen7510: now } },
    constraints: { evidence: ['nen7510'] },
    refused: { rule: 'evidence' },
  },
  { name: 'capability there', constraints: { capabilities: ['ingress'] } },
  {
    name: 'capability missing',
    constraints: { capabilities: ['ingress', 'diginetwerk'] },
    refused: { rule: 'capability', asked: 'diginetwerk' },
  },
  { name: 'near enough', constraints: { maxDistance: { ...here, km: 1 } } },
  {
    name: 'too far',
    state: { latitude: 52.2 },
    constraints: { maxDistance: { ...here, km: 111 } },
    refused: { rule: 'distance', asked: 111 },
  },
  { name: 'storage class there', volumes: volume('fast') },
  {
    name: 'storage class missing',
    volumes: volume('slow'),
    refused: { rule: 'storage-class', asked: 'slow', available: 'fast' },
  },
  {
    name: 'storage class not for many writers',
    volumes: volume('fast', true),
    refused: { rule: 'storage-class-shared', asked: 'fast' },
  },
  {
    name: 'storage class for many writers',
    state: { storageClasses: [{ name: 'fast', readWriteMany: true }] },
    volumes: volume('fast', true),
  },
  {
    name: 'closed',
    state: { closedBecause: 'it is draining' },
    refused: { rule: 'closed', available: 'it is draining' },
  },
  {
    name: 'inventory never seen',
    state: { observedAt: undefined },
    refused: { rule: 'inventory-stale', ageSeconds: undefined },
  },
  { name: 'inventory as old as may be', state: { observedAt: now - maxInventoryAgeMs } },
  {
    name: 'inventory older',
    state: { observedAt: now - maxInventoryAgeMs - 1000 },
    refused: { rule: 'inventory-stale', ageSeconds: 601 },
  },
  { name: 'inventory from a clock ahead', state: { observedAt: now + 60_000 } },
  { name: 'price at the cap', constraints: { maxPriceCents: 1200 } },
  {
    name: 'price over the cap',
    constraints: { maxPriceCents: 1199 },
    refused: { rule: 'price', asked: 1199, available: 1200, missing: 1 },
  },
  { name: 'period over', period: { start: now - day, end: now }, refused: { rule: 'period-over' } },
  { name: 'period half over', period: { start: now - 300 * day, end: now + day } },
  {
    name: 'offer ends before the hosting',
    state: { offers: [offer({ period: { start: now, end: now + 9 * day } })] },
    period: month,
    refused: { rule: 'offer-period', available: '2027-03-10T00:00:00.000Z', at: now + 9 * day },
  },
  { name: 'offer ends with the hosting', state: { offers: [offer({ period: month })] }, period: month },
  { name: 'no offers', state: { offers: [] }, refused: { rule: 'offer-period' } },
  {
    name: 'resource not offered is not the same as zero',
    state: { offers: [offer({ amounts: { memory: 32 * gib, pods: 10 } })] },
    refused: { rule: 'offer-missing', resource: 'cpu', asked: 1000, missing: undefined },
  },
  {
    name: 'resource offered as zero',
    state: { offers: [offer({ amounts: { cpu: 0, memory: 32 * gib, pods: 10 } })] },
    refused: { rule: 'offer-short', resource: 'cpu', available: 0, missing: 1000 },
  },
  {
    name: 'resource unlimited',
    state: {
      offers: [
        offer({
          amounts: { cpu: Number.POSITIVE_INFINITY, memory: Number.POSITIVE_INFINITY, pods: Number.POSITIVE_INFINITY },
        }),
      ],
    },
  },
  {
    name: 'resource that no one knows',
    volumes: volume('fast'),
    state: { offers: [offer({ amounts: { cpu: 9000, memory: 32 * gib, pods: 10 } })] },
    refused: { rule: 'offer-missing', resource: 'storage/fast' },
  },
  {
    name: 'law before standing',
    state: { closedBecause: 'draining', observedAt: undefined },
    constraints: { regions: ['zuid'] },
    refused: { rule: 'region' },
  },
]

for (const { name, state, constraints = {}, volumes = [], period, refused } of cases) {
  t.test(name, async (t) => {
    const world = createWorld({ datacenters: [datacenter('x', state)], hostings: [] })
    const decision = schedule(world, hosting('h', { constraints, volumes, ...(period && { period }) }), now)
    if (!refused) return t.equal(decision.outcome, 'placed', JSON.stringify(decision.refusals))
    t.equal(decision.outcome, 'unschedulable')
    t.equal(decision.refusals.length, 1)
    const [refusal] = decision.refusals
    t.match(refusal, { datacenterId: 'x', role: 'primary' })
    for (const [field, value] of Object.entries(refused))
      t.equal(refusal?.[field as keyof typeof refusal], value, field)
  })
}

t.test('an open end notes evidence that will expire', async (t) => {
  const world = createWorld({ datacenters: [datacenter('x')], hostings: [] })
  const decision = schedule(world, hosting('h', { constraints: { evidence: ['iso27001'] } }), now)
  t.match(decision, {
    chosen: { notes: [{ datacenterId: 'x', note: 'evidence-expires', subject: 'iso27001', until: now + 365 * day }] },
  })
  const bounded = schedule(world, hosting('h', { constraints: { evidence: ['iso27001'] }, period: month }), now)
  t.match(bounded, { chosen: { notes: [] } })
})

t.test('between primary and standby', async (t) => {
  const pair = (changes: Partial<DatacenterState>, fallback: Omit<FallbackDemand, 'mode'>) => {
    const world = createWorld({
      datacenters: [datacenter('x', { failureDomains: ['grid/west', 'flood/laag'] }), datacenter('y', changes)],
      hostings: [],
    })
    const decision = schedule(world, hosting('h', { fallback: { mode: 'cold', ...fallback } }), now)
    return decision.outcome === 'placed'
      ? 'placed'
      : decision.refusals
          .filter(({ role }) => role === 'standby')
          .map(({ rule }) => rule)
          .join()
  }
  t.equal(pair({ failureDomains: ['grid/west'] }, {}), 'placed', 'only the site need differ when nothing is asked')
  t.equal(pair({ failureDomains: ['grid/west'] }, { differ: ['flood'] }), 'placed')
  t.equal(pair({ failureDomains: ['grid/west'] }, { differ: ['flood', 'grid'] }), 'same-site,failure-domain')
  t.equal(pair({ failureDomains: ['gridlock/west'] }, { differ: ['grid'] }), 'placed')
  t.equal(pair({ latitude: 52.2 }, { minDistanceKm: 111 }), 'placed')
  t.equal(pair({ latitude: 52.2 }, { minDistanceKm: 112 }), 'same-site,standby-distance')
})
