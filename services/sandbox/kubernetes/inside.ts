/** What the controllers of a cluster work with. */
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import type { Store } from './store.ts'

export interface Inside {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  /** PEM of the cluster's authority. */
  readonly ca: string
}
