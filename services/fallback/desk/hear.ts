/** Everything that a desk hears, to the rule that answers it. */
import type { Epoch } from '../epoch.ts'
import type { DatacenterId, FromSite, HostingId } from '../messages.ts'
import { nothing } from '../step.ts'
import { askSeen, onOff, onSeen } from './amnesia.ts'
import { changed, type Desk, type DeskStep, isInContact, isInDoubt, together } from './desk.ts'
import { deskTick, newSaga, onAccepted, onProof, onRefused, onStopped, onUnable } from './failover.ts'
import { changePeers, onRenew } from './renewals.ts'
import type { Witness } from './row.ts'

/** What people and outside fences say. */
export type Order =
  | { order: 'move'; hosting: HostingId; target: DatacenterId }
  | { order: 'confirm-failover'; hosting: HostingId }
  | { order: 'peers'; hosting: HostingId; members: readonly DatacenterId[] }
  | { order: 'proof'; hosting: HostingId; epoch: Epoch; witness: Witness & ('fenced' | 'attested') }
  | { order: 'release-brake'; lost: readonly DatacenterId[] }
  | { order: 'off'; datacenters: readonly DatacenterId[] }

export type DeskEvent =
  | { kind: 'tick' }
  | { kind: 'message'; from: DatacenterId; message: FromSite }
  | { kind: 'order'; order: Order }

/** Mutates the desk's memory; what must last is in the step. When the commit fails, the desk is to be thrown away. */
export function deskHears(desk: Desk, event: DeskEvent, nowMs: number): DeskStep {
  if (event.kind === 'tick') return together([askSeen(desk, nowMs), deskTick(desk, nowMs)])
  if (event.kind === 'order') return onOrder(desk, event.order, nowMs)
  const { from, message } = event
  if (!isInDoubt(desk)) return onMessage(desk, from, message, nowMs)
  noteSpeaker(desk, from, nowMs)
  const heard: DeskStep = { writes: [{ heard: from }], after: () => [] }
  return together([heard, onMessage(desk, from, message, nowMs)])
}

/**
 * In doubt, whatever a site says: a word that it is off must not count from then on. Also to be called of all whose messages have
 * come, before people are listened to.
 */
export function noteSpeaker(desk: Desk, from: DatacenterId, nowMs: number): void {
  if (!isInDoubt(desk)) return
  desk.off.delete(from)
  desk.heardMs.set(from, nowMs)
}

function onMessage(desk: Desk, from: DatacenterId, message: FromSite, nowMs: number): DeskStep {
  switch (message.kind) {
    case 'renew':
      return onRenew(desk, from, message, nowMs)
    case 'accepted':
      return onAccepted(desk, from, message, nowMs)
    case 'refused':
      return onRefused(desk, from, message, nowMs)
    case 'unable':
      return onUnable(desk, from, message, nowMs)
    case 'stopped':
      return onStopped(desk, from, message)
    case 'seen':
      return onSeen(desk, from, message, nowMs)
  }
}

function onOrder(desk: Desk, order: Order, nowMs: number): DeskStep {
  if (order.order === 'release-brake') {
    for (const id of order.lost) desk.released.add(id)
    return nothing
  }
  if (order.order === 'off') return onOff(desk, order.datacenters, nowMs)
  const row = desk.rows.get(order.hosting)
  if (!row || row.amnesia) return nothing
  if (order.order === 'proof') return onProof(desk, row.hosting, order.epoch, order.witness)
  if (order.order === 'peers') return changePeers(desk, row, order.members)
  // One saga per hosting: who comes second is told of the first.
  if (row.saga || row.offer) return nothing
  if (order.order === 'confirm-failover') return changed(desk, { ...row, saga: newSaga(desk, row, 'failover') })
  const canMove = order.target !== row.holder && isInContact(desk, order.target, nowMs)
  return canMove ? changed(desk, { ...row, saga: newSaga(desk, row, 'move', order.target) }) : nothing
}
