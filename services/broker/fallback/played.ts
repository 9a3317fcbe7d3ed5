/**
 * The part of a site whose datacenter has no agent that speaks, played by the desk: it accepts what it is offered while
 * the cluster answers, and says *stopped* when no pod of the hosting is left there and none can come.
 */
import type { Epoch, FromDesk, FromSite, Profile, Row } from '../../fallback/index.ts'
import type { Kit } from '../../shared/kit.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { pause } from '../clusters/index.ts'
import { seenThere } from './core/standing.ts'
import { isShut, pods, standingAt } from './standing.ts'
import { selectEpochs, selectName, upsertHalt } from './store.ts'

const lookMs = 1_000

export interface PlayedSetup {
  readonly kit: Kit
  readonly datacenter: string
  readonly profile: Profile
  readonly reach: () => Promise<ClusterClient>
  /** The rows that the desk goes by. */
  readonly rows: () => Iterable<Row>
  /** Whether the cluster answers, as far as is known. */
  readonly answers: () => boolean
  readonly heard: (message: FromSite) => void
  readonly signal: AbortSignal
}

export interface PlayedSite {
  send(message: FromDesk): void
  /** What it knows of the cluster has changed: say so now. */
  beat(): void
}

export function playSite(setup: PlayedSetup): PlayedSite {
  const { kit, datacenter, profile, heard, signal } = setup
  const stopping = new Map<string, Epoch>()
  let seq = 0
  const beat = () => {
    if (signal.aborted || !setup.answers()) return
    seq += 1
    const holds = [...setup.rows()].filter(({ holder, over }) => holder === datacenter && over === undefined)
    heard({
      kind: 'renew',
      incarnation: 0,
      seq,
      clockMs: kit.clock.monotonic(),
      holds: holds.map(({ hosting, epoch, peers, nextPeers }) => ({
        hosting,
        epoch,
        active: !stopping.has(hosting),
        listVersion: (nextPeers ?? peers).version,
      })),
    })
  }
  const end = kit.clock.every(profile.renewMs, beat)
  signal.addEventListener('abort', end, { once: true })

  let isLooking = false
  const look = (generation: number) => {
    if (isLooking) return
    isLooking = true
    void answerSeen(setup, generation).finally(() => {
      isLooking = false
    })
  }
  const stop = (hosting: string, epoch: Epoch) => {
    const isUnderWay = stopping.has(hosting)
    stopping.set(hosting, epoch)
    if (!isUnderWay) void untilGone(setup, hosting, stopping)
  }
  return {
    beat,
    send(message) {
      if (message.kind === 'ask-seen') return look(message.generation)
      if (!('hosting' in message) || message.kind === 'ask-stopped' || !setup.answers()) return
      const { hosting, epoch } = message
      if (message.kind === 'deactivate') return stop(hosting, epoch)
      stopping.delete(hosting)
      heard({ kind: 'accepted', hosting, epoch })
    },
  }
}

/**
 * It keeps no record: what it has seen is what the desk's rows say, unless the cluster tells of a later hand-over. While the
 * cluster does not answer nothing is said, and the desk asks again.
 */
async function answerSeen(setup: PlayedSetup, generation: number): Promise<void> {
  const { kit, datacenter, reach, heard, signal } = setup
  try {
    const rows = [...setup.rows()]
    const epochs = await selectEpochs(
      kit.database,
      rows.map(({ hosting }) => hosting),
    )
    const client = await reach()
    const standing = await standingAt(client, epochs).finally(() => client.close())
    const seen = rows.flatMap((row) => seenThere(row, datacenter, standing.get(row.hosting)) ?? [])
    if (!signal.aborted) heard({ kind: 'seen', generation, seen })
  } catch (error) {
    if (!signal.aborted) kit.log.warn({ err: error, datacenter }, 'what runs there could not be seen yet')
  }
}

/**
 * From when it is written that it is over here, reconciling lets no pod start; then those that stand are taken away.
 */
async function untilGone(setup: PlayedSetup, hosting: string, stopping: Map<string, Epoch>): Promise<void> {
  const { kit, datacenter, heard, signal } = setup
  let empty = 0
  for (let epoch = stopping.get(hosting); epoch && !signal.aborted; epoch = stopping.get(hosting)) {
    try {
      await upsertHalt(kit.database, hosting, datacenter, epoch)
      empty = (await isEmpty(setup, hosting)) ? empty + 1 : 0
      // What was let in just before the quota closed is seen by the second look.
      if (empty > 1) {
        stopping.delete(hosting)
        heard({ kind: 'stopped', hosting, epoch })
        return
      }
    } catch (error) {
      empty = 0
      if (!signal.aborted) kit.log.warn({ err: error, datacenter, hosting }, 'a hosting could not be stopped yet')
    }
    await pause(kit.clock, lookMs, signal)
  }
}

/** Nothing stands in the namespace, and its quota lets nothing in. */
async function isEmpty({ kit, reach }: PlayedSetup, hosting: string): Promise<boolean> {
  const namespace = await selectName(kit.database, hosting)
  if (namespace === undefined) return true
  const client = await reach()
  try {
    if (!(await client.read({ apiVersion: 'v1', kind: 'Namespace', name: namespace }))) return true
    if (!(await isShut(client, namespace))) return false
    const { items } = await client.list(pods, { namespace })
    for (const { metadata } of items) await client.remove({ ...pods, name: metadata.name ?? '', namespace })
    return items.length === 0
  } finally {
    await client.close()
  }
}
