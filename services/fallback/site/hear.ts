/** Everything that an agent hears, to the rule that answers it. */
import type { BetweenSites, DatacenterId, FromDesk, GuardAsk } from '../messages.ts'
import { nothing, type Step } from '../step.ts'
import type { SiteEffect } from './effects.ts'
import { onGuardAsk } from './guards.ts'
import { onActivate, onAskSeen, onAskStopped, onDeactivate, onHold } from './offers.ts'
import { onPromised, onRenewed, siteTick } from './renew.ts'
import type { Site } from './site.ts'
import type { SiteWrite } from './start.ts'

export type SiteEvent =
  | { kind: 'tick' }
  | { kind: 'desk'; message: FromDesk }
  | { kind: 'peer'; from: DatacenterId; message: BetweenSites }
  | { kind: 'guard'; message: GuardAsk }

/** `isAble` is asked when something is offered: whether there is room for it here, now. */
export function siteHears(
  site: Site,
  event: SiteEvent,
  isAble: (hosting: string) => boolean,
  nowMs: number,
): Step<SiteWrite, SiteEffect> {
  if (event.kind === 'tick') return siteTick(site, nowMs)
  if (event.kind === 'guard') return onGuardAsk(site, event.message, nowMs)
  if (event.kind === 'peer') return fromPeer(site, event.from, event.message, nowMs)
  const { message } = event
  switch (message.kind) {
    case 'renewed':
      return onRenewed(site, message, nowMs)
    case 'activate':
      return onActivate(site, message, isAble(message.hosting), nowMs)
    case 'deactivate':
      return onDeactivate(site, message)
    case 'ask-stopped':
      return onAskStopped(site, message)
    case 'ask-seen':
      return onAskSeen(site, message.generation, nowMs)
  }
}

function fromPeer(site: Site, from: DatacenterId, message: BetweenSites, nowMs: number): Step<SiteWrite, SiteEffect> {
  if (message.kind === 'hold') return onHold(site, from, message, nowMs)
  return message.kind === 'promised' ? onPromised(site, from, message, nowMs) : nothing
}
