/** Sites that lack this or that and hostings that ask for it, so that every rule comes up. */
import fc from 'fast-check'
import type { DatacenterState, HostingDemand } from '../../../../services/placement/index.ts'
import { day, now } from '../worlds.ts'
import { anyDemand, anySite, several } from './worlds.ts'

const seldom = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 11, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

/** Without the keys that are undefined. */
function given<T extends object>(changes: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

const classes = fc.record({
  availability: fc.constantFrom(1, 2, 3),
  integrity: fc.constantFrom(2, 3),
  confidentiality: fc.constantFrom(2, 3),
})

const lacking = fc.record({
  closedBecause: seldom(fc.constantFrom('draining', 'unreachable')),
  observedAt: seldom(fc.constantFrom(now - 3_600_000, now - 30_000, undefined)),
  evidence: seldom(
    fc.constantFrom<Record<string, number>[]>({}, { iso27001: now + 2 * day }, { iso27001: now + 9 * day }),
  ),
  capabilities: seldom(fc.constant([])),
  classes: seldom(classes),
  storageClasses: seldom(
    fc.constantFrom([], [{ name: 'slow', readWriteMany: false }], [{ name: 'fast', readWriteMany: true }]),
  ),
})

export const anyChoosySites: fc.Arbitrary<DatacenterState[]> = several(
  (id) => fc.tuple(anySite(id), lacking).map(([state, less]) => ({ ...state, ...given(less) })),
  'dc',
  1,
  8,
)

const asking = fc.record({
  regions: seldom(fc.subarray(['noord', 'zuid'])),
  operatorsNot: seldom(fc.subarray(['party_dc_00', 'party_dc_01'])),
  datacentersNot: seldom(fc.subarray(['dc_00', 'dc_02'])),
  classes: seldom(classes),
  evidence: seldom(fc.subarray(['iso27001', 'nen7510'])),
  capabilities: seldom(fc.subarray(['ingress', 'postgresql'])),
  maxDistance: seldom(
    fc.record({ latitude: fc.constant(51), longitude: fc.constant(6), km: fc.constantFrom(100, 400) }),
  ),
})

export const anyChoosyDemands: fc.Arbitrary<HostingDemand[]> = several(
  (id) =>
    fc
      .tuple(anyDemand(id), asking, seldom(fc.constant(true)), seldom(fc.constant(now)))
      .map(([demand, more, readWriteMany, end]) => ({
        ...demand,
        constraints: { ...demand.constraints, ...given(more) },
        volumes: readWriteMany ? [{ storageClass: 'fast', bytes: 1, readWriteMany }] : demand.volumes,
        period: end === undefined ? demand.period : { start: now - day, end },
      })),
  'hst',
  4,
  10,
)
