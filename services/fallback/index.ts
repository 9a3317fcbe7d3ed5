/** The fallback protocol, pure: desk, site and guard as transitions over messages and clocks. */
export { awaited, forgotten } from './desk/amnesia.ts'
export {
  type Desk,
  type DeskEffect,
  type DeskOptions,
  type DeskStep,
  type DeskWrite,
  isBraked,
  isInContact,
  isInDoubt,
  isLost,
  isSilent,
  startDesk,
  untilExpiryMs,
} from './desk/desk.ts'
export { type DeskEvent, deskHears, noteSpeaker, type Order } from './desk/hear.ts'
export { isUnstarted, type Row, waitTargets } from './desk/row.ts'
export { compareEpochs, type Epoch, epochText, isLater, isSame, noEpoch } from './epoch.ts'
export {
  type Guard,
  type GuardDisk,
  type GuardEffect,
  guardHears,
  guardTick,
  mayStart,
  startGuard,
} from './guard/guard.ts'
export type * from './messages.ts'
export type { SiteEffect } from './site/effects.ts'
export { type SiteEvent, siteHears } from './site/hear.ts'
export { mayBeChanged, type Site, type SiteDisk } from './site/site.ts'
export { type SiteWrite, startSite } from './site/start.ts'
export { nothing, type Step } from './step.ts'
export { type Profile, profiles, waitMs } from './timers.ts'
