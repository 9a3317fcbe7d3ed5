/** Replicas that have no node any more, in a form that tells what they need of another. */
import type { HostingDemand, Period } from './model.ts'
import { type Nodes, rowOf } from './nodes.ts'
import type { Part } from './parts.ts'
import type { Need } from './resources.ts'

export interface Displaced {
  readonly hostingId: string
  readonly role: 'primary' | 'standby'
  readonly component: string
  readonly period: Period
  readonly perReplica: Need
  readonly replicas: number
  /** What no two replicas may share, and the rows of the nodes that have one still. */
  readonly apart: 'node' | 'zone' | undefined
  readonly held: readonly number[]
  /** Of those that are too many the row of their node, where they are booked still, and whether none of them fits. */
  readonly tooMany?: { readonly row: number; readonly all: boolean }
}

export function apartOf(asked: HostingDemand['components'][number] | undefined): Displaced['apart'] {
  return asked?.onePerZone ? 'zone' : asked?.onePerNode ? 'node' : undefined
}

/** The row of a node that carries this part still, -1 when it is gone, or is cordoned and should carry it one day. */
export function standingRow(nodes: Nodes, { lands }: Part, node: string): number {
  const row = rowOf(nodes, node)
  return row >= 0 && (!lands || nodes.schedulable[row] === 1) ? row : -1
}

/** The rows of the nodes that have a replica of this component still. */
export function heldRows(nodes: Nodes, parts: readonly Part[], component: string): number[] {
  return parts
    .flatMap((part) =>
      part.witness.filter((seat) => seat.component === component).map(({ node }) => standingRow(nodes, part, node)),
    )
    .filter((row) => row >= 0)
}

/** Who is seated first. */
export function inTurn(a: Displaced, b: Displaced): number {
  if (a.hostingId !== b.hostingId) return a.hostingId < b.hostingId ? -1 : 1
  return a.role === b.role ? 0 : a.role < b.role ? -1 : 1
}
