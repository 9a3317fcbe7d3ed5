/** The policies that are compared, by name; each for one fleet, from the same facts: the fleet now and a typical mix. */
import type { Fleet } from './fleet.ts'
import { leftover, unusable, weighed } from './fragmentation.ts'
import { type Choose, gradient } from './gradient.ts'
import { mixOf } from './mix.ts'
import type { DeviceRequest } from './model.ts'
import { bestFit, firstFit, randomFit, worstFit } from './simple.ts'

/** `expected` are requests like those that will come, in no order; `random` is uniform in [0, 1). */
export type Policy = (fleet: Fleet, expected: readonly DeviceRequest[], random: () => number) => Choose

/** How many times what the next request cannot use counts beside what stays after filling up; found on other seeds. */
const nextRequestWeight = 4

/** Both measures over the whole mix: never break what the next request needs, and keep processor where devices are. */
const descent: Policy = (fleet, expected) => {
  const mix = mixOf(fleet, expected, { keep: 1, byMemory: true })
  return gradient(fleet, weighed([1, leftover(mix)], [nextRequestWeight, unusable(mix)]))
}

/**
 * FGD as published: the mix without its rarest twentieth and without memory, and a score in hundredths of a sigmoid.
 * Many nodes score the same, and which of them is taken decides much: the first of the list comes close to what its
 * authors measured on every list; drawn at random it does on two and is about five points lower on the others.
 */
const fgd: Policy = (fleet, expected) => gradient(fleet, unusable(fgdMix(fleet, expected)), { rounded: hundredths })
const fgdDrawn: Policy = (fleet, expected, draw) =>
  gradient(fleet, unusable(fgdMix(fleet, expected)), { rounded: hundredths, draw })

const fgdMix = (fleet: Fleet, expected: readonly DeviceRequest[]) =>
  mixOf(fleet, expected, { keep: 0.95, byMemory: false })
const hundredths = (gain: number) => Math.trunc(100 / (1 + Math.exp(-gain / 1_000)))

export const devicePolicies = {
  gemeentecloud: descent,
  fgd,
  'fgd-ties-drawn': fgdDrawn,
  'first-fit': (fleet) => firstFit(fleet),
  'best-fit': (fleet) => bestFit(fleet),
  'worst-fit': (fleet) => worstFit(fleet),
  random: (fleet, _, random) => randomFit(fleet, random),
} as const satisfies Record<string, Policy>

export type DevicePolicyName = keyof typeof devicePolicies
