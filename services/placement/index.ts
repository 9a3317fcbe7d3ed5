/** The public door of the placement engine: pure decisions over a world that one caller keeps. */

export { anotherStandby } from './another-standby.ts'
export { contradictions, demandOf, type Owner } from './asked.ts'
export {
  arrivalsOf,
  type DeviceNode,
  type DevicePolicyName,
  type DeviceRequest,
  deviceCapacity,
  devicePolicies,
  runTrial,
  type Trial,
} from './devices/index.ts'
export { distanceKm, type Position } from './distance.ts'
export { derivedKinds, domainsOf, kindOf } from './domains.ts'
export { type ElasticDecision, type Granted, grantedOf, leastDemand, scheduleElastic, withGranted } from './elastic.ts'
export {
  explainGroup,
  explainRefusal,
  groupRefusals,
  type Language,
  type RefusalGroup,
  type Rule,
  ruleNames,
  summarise,
} from './explain.ts'
export { dominantShare, fairOrder, heldByParty, offeredInAll } from './fair.ts'
export { maxInventoryAgeMs } from './filter.ts'
export { type BrokenPromise, brokenPromises, type Remedy } from './mend.ts'
export type * from './model.ts'
export { overcommit, type Violation } from './overcommit.ts'
export { partsOf } from './parts.ts'
export { place } from './place.ts'
export { type Effort, findPreemption, type Preemption } from './preempt.ts'
export { priceCentsPerMonth } from './price.ts'
export * from './reassign/index.ts'
export * from './replan/index.ts'
export { type Usage, usageAt } from './reserve.ts'
export {
  envelopeOf,
  fitInPlace,
  fitStandby,
  isWithin,
  keptInPlace,
  priceInPlace,
  type Standing,
  trimmed,
} from './resize.ts'
export { neededAmounts } from './resources.ts'
export { explain, quote, schedule } from './schedule.ts'
export {
  advanceWorld,
  applyPlacement,
  createWorld,
  releasePlacement,
  removeDatacenter,
  upsertDatacenter,
  type World,
} from './snapshot.ts'
export { explainPreemption, faults, inLanguage } from './translate.ts'
export { viewOf } from './view.ts'
