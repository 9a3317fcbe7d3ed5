/** What a request over many namespaces is made of: one request for each namespace, to the cluster where it is. */
import type { Principal } from '../../shared/http/principal.ts'
import type { Member } from '../members.ts'
import type { Resource } from '../target.ts'
import { placeOf } from './cursor.ts'

export interface Cell {
  readonly member: Member
  /** Absent for objects of the cluster itself. */
  readonly namespace: string | undefined
  readonly path: string
  readonly as: Principal | undefined
}

/** All the cells of one request; cells of one member stand together. */
export interface Spread {
  readonly cells: readonly Cell[]
  readonly members: readonly Member[]
  /** Of each cell, which of the members it belongs to. */
  readonly memberOf: readonly number[]
  /** For cursors: names exactly these namespaces at exactly these clusters. */
  readonly place: string
  /** Datacenters that have a part of this and cannot be asked at all. */
  readonly absent: readonly string[]
}

export interface Place {
  readonly member: Member
  readonly namespace: string
  readonly placementId: string
}

/** The same places give the same order, and so the same cursors. */
export function spreadOver(
  target: Pick<Resource, 'group' | 'version' | 'resource'>,
  places: readonly Place[],
  as: Principal,
  absent: readonly string[],
): Spread {
  const sorted = [...places].sort(
    (a, b) => compare(a.member.datacenterId, b.member.datacenterId) || compare(a.namespace, b.namespace),
  )
  const cells = sorted.map(({ member, namespace }) => ({ member, namespace, path: pathOf(target, namespace), as }))
  const names = sorted.map(({ member, placementId }) => `${member.datacenterId} ${placementId}`)
  return assemble(cells, names, absent)
}

/** Objects of the clusters themselves, which the gateway asks for in its own name. */
export function spreadWhole(
  target: Pick<Resource, 'group' | 'version' | 'resource'>,
  members: readonly Member[],
  absent: readonly string[],
): Spread {
  const sorted = [...members].sort((a, b) => compare(a.datacenterId, b.datacenterId))
  const cells = sorted.map((member) => ({ member, namespace: undefined, path: pathOf(target), as: undefined }))
  return assemble(
    cells,
    sorted.map(({ datacenterId }) => datacenterId),
    absent,
  )
}

function assemble(cells: readonly Cell[], names: readonly string[], absent: readonly string[]): Spread {
  const members = [...new Set(cells.map(({ member }) => member))]
  const memberOf = cells.map(({ member }) => members.indexOf(member))
  return { cells, members, memberOf, place: placeOf([...names, ...absent]), absent }
}

function pathOf({ group, version, resource }: Pick<Resource, 'group' | 'version' | 'resource'>, namespace?: string) {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return namespace === undefined ? `${root}/${resource}` : `${root}/namespaces/${namespace}/${resource}`
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
