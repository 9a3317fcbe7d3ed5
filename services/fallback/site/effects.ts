/** What an agent does once its record is durable. */

import type { Epoch } from '../epoch.ts'
import type { BetweenSites, DatacenterId, FromSite, GuardAnswer, HostingId } from '../messages.ts'

export type SiteEffect =
  | { do: 'tell-desk'; message: FromSite }
  | { do: 'tell-site'; to: DatacenterId; message: BetweenSites }
  | { do: 'tell-guard'; message: GuardAnswer }
  /** Pods of this hosting with this label are wanted here; the gate of each node still decides. */
  | { do: 'run'; hosting: HostingId; label: Epoch }
  | { do: 'scale-down'; hosting: HostingId }
