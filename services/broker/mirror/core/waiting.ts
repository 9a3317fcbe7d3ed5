/**
 * Which workloads of a standby sleep until their data has been brought back. A StatefulSet makes the claims of its templates as
 * soon as it is started, also where no pod may run, and an empty one would stand where its data has to come.
 */

import { isScalable } from './copy.ts'
import type { Declared } from './data.ts'
import { at } from './data.ts'
import type { MirroredObject } from './objects.ts'

/** Whether a claim of it is brought back at a failover: one that it mounts by name, or one of its templates. */
export function waitsForData(workload: MirroredObject, data: readonly Declared[]): boolean {
  if (!isScalable(workload)) return false
  const claims = data.flatMap(({ kind, name }) => (kind === 'volsync' ? [name] : []))
  const isAll = data.some(({ kind }) => kind === 'velero')
  const named = namesOf(at(workload, 'spec', 'template', 'spec', 'volumes'), 'persistentVolumeClaim', 'claimName')
  const templates = templatesOf(workload)
  if (isAll) return named.length + templates.length > 0
  const ofTemplate = (claim: string) => templates.includes(setOf(claim) ?? '')
  return claims.some((claim) => named.includes(claim) || ofTemplate(claim))
}

/** The names of its claims without the ordinal at the end: any ordinal counts, for it may have been scaled since. */
function templatesOf({ kind, metadata, ...fields }: MirroredObject): string[] {
  if (kind !== 'StatefulSet') return []
  const templates = namesOf(at(fields, 'spec', 'volumeClaimTemplates'), 'metadata', 'name')
  return templates.map((template) => `${template}-${metadata.name}`)
}

/** What a claim is called as one of several replicas: `data-db` of `data-db-0`. */
const setOf = (claim: string): string | undefined => /^(.+)-\d+$/.exec(claim)?.[1]

function namesOf(list: unknown, ...path: readonly string[]): string[] {
  const names = Array.isArray(list) ? list.map((one) => at(one, ...path)) : []
  return names.filter((name): name is string => typeof name === 'string')
}

/** Claims of which another replica is declared and this one is not, as when it was scaled up since. */
export function undeclaredReplicas(claims: readonly string[], data: readonly Declared[]): string[] {
  const declared = new Set(data.flatMap(({ kind, name }) => (kind === 'volsync' ? [name] : [])))
  const sets = new Set([...declared].map(setOf))
  return claims.filter((claim) => !declared.has(claim) && setOf(claim) !== undefined && sets.has(setOf(claim)))
}
