/** How the objects of one hosting are read: what is made at the other site by itself, and how much of it may run there. */
import type { KindRef } from '../../shared/kubernetes/index.ts'
import type { ReadOptions } from './copies.ts'
import { cnpgVersion } from './core/cnpg.ts'
import { groupOf, isCustomGroup } from './core/kinds.ts'
import { waitsForData } from './core/waiting.ts'
import type { Seen } from './source.ts'
import type { PairRow } from './store.ts'

export function readOptionsOf(
  { mode, warmReplicas, data, role, activity }: PairRow,
  mirrored: readonly KindRef[],
  objects: ReadonlyMap<string, Seen>,
): ReadOptions {
  const isScaled = (kind: string, name: string) => {
    for (const { scales } of objects.values()) if (scales?.kind === kind && scales.name === name) return true
    return false
  }
  return {
    // What a controller of Kubernetes itself makes is made everywhere; that of an operator, where its kind came along.
    isMadeThere: ({ apiVersion, kind }) =>
      !isCustomGroup(groupOf(apiVersion)) ||
      mirrored.some((one) => one.kind === kind && groupOf(one.apiVersion) === groupOf(apiVersion)),
    // A database that is copied as an object would start empty; a declared volume is made from its copy.
    isLeftOut: ({ apiVersion, kind, metadata }) =>
      (apiVersion === cnpgVersion && kind === 'Cluster') ||
      (kind === 'PersistentVolumeClaim' &&
        (data ?? []).some(({ kind: by, name }) => by === 'velero' || (by === 'volsync' && name === metadata.name))),
    standing: {
      mode,
      warmReplicas,
      isScaled,
      // What is active in several places is never handed over, so nobody would wake it.
      waits: (workload) => role === 'standby' && activity !== 'shared' && waitsForData(workload, data ?? []),
    },
  }
}
