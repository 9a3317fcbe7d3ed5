/** What is known where the data of one hosting is kept. */
import type { ClusterClient } from '../../../shared/kubernetes/index.ts'
import type { DataState } from '../core/data.ts'
import type { Datacenter } from '../datacenter.ts'
import type { Seen } from '../source.ts'
import type { Grant, PairRow } from '../store.ts'

export interface DataContext {
  readonly row: PairRow
  readonly active: Datacenter
  readonly other: Datacenter
  /** In the tenant's name. */
  readonly here: ClusterClient
  readonly there: ClusterClient
  /** The objects of the tenant at the active site. */
  readonly objects: ReadonlyMap<string, Seen>
  readonly confirm: () => Promise<boolean>
  readonly grant: () => Promise<Grant>
  /** As they were last known. */
  readonly known: readonly DataState[]
  readonly nowMs: number
}
