/** The heartbeat of one datacenter: whether it answers, as which cluster, and whether it passes the checks it has yet to pass. */
import { checkCluster, clusterUid } from './checks.ts'
import { type Cluster, reasonOf } from './cluster.ts'
import { type ContactView, type Heartbeat, initialContact, nextContact } from './core/contact.ts'
import type { NodeLike } from './core/inventory.ts'
import { plainText } from './core/text.ts'
import { patiently, pause, within } from './patience.ts'
import { type Ledger, recordChecks, recordContact, type Subject } from './records.ts'
import { type ConnectionRow, type Facts, selectTwin } from './store.ts'

const checkEveryMs = 15_000

export interface HeartbeatTiming {
  /** Between heartbeats, and how long one may take. */
  readonly heartbeatMs: number
  readonly heartbeatTimeoutMs: number
}

export interface PulseOptions {
  readonly ledger: Ledger
  readonly timing: HeartbeatTiming
  readonly row: ConnectionRow
  readonly signal: AbortSignal
  /** It answers after it did not, or for the first time. */
  readonly back: () => void
}

export interface Pulse {
  /** Answered the last time it was asked, as the cluster that we know. */
  answers(): boolean
  /** Undefined until the first answer. */
  facts(): Facts | undefined
  /** Tells the outcome of a heartbeat; also of one that could not even be tried. */
  heard(heartbeat: Heartbeat | { readonly ok: true; readonly facts: Facts }): Promise<void>
}

/** What is known of the contact, written down at each change. */
export function createPulse({ ledger, row, signal, back }: PulseOptions): Pulse {
  const { kit } = ledger
  let contact: ContactView = initialContact(row.contact, row.contact_reason, row.contact_since_ms ?? kit.clock.now())
  let answers = false
  let facts: Facts | undefined
  return {
    answers: () => answers,
    facts: () => facts,
    async heard(heartbeat) {
      if (signal.aborted) return
      const next = nextContact(contact, heartbeat, kit.clock.now())
      if (next.state !== contact.state) {
        await patiently(kit, 'contact', signal, () => recordContact(ledger, subjectOf(row), next))
      }
      contact = next
      if ('facts' in heartbeat) facts = heartbeat.facts
      const isBack = heartbeat.ok && !answers
      answers = heartbeat.ok
      if (isBack) back()
    },
  }
}

export interface BeatOptions extends PulseOptions {
  readonly pulse: Pulse
  readonly cluster: Cluster
  /** What was last stored of the cluster. */
  readonly known: Facts | undefined
  readonly nodes: () => readonly NodeLike[]
  readonly synced: Promise<void>
  /** Why the cluster cannot be followed, though it answers. */
  readonly trouble: () => string | undefined
}

/** Asks until aborted, and has a connection that is new pass the checks. */
export async function beatAndCheck(options: BeatOptions): Promise<void> {
  const { ledger, timing, row, signal, pulse } = options
  const { clock, random } = ledger.kit
  let mustCheck = row.state === 'checking'
  let checkedAt = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    await pulse.heard(await beat(options))
    if (mustCheck && pulse.answers() && clock.monotonic() - checkedAt >= checkEveryMs) {
      checkedAt = clock.monotonic()
      mustCheck = !(await check(options))
    }
    await pause(clock, timing.heartbeatMs * (0.9 + random.next() / 5), signal)
  }
}

/** An answer by another cluster than the one whose placements we know is no answer, nor one by a cluster we cannot follow. */
async function beat({
  ledger,
  timing,
  row,
  pulse,
  cluster,
  known,
  trouble,
}: BeatOptions): Promise<Parameters<Pulse['heard']>[0]> {
  const ask = <T>(work: () => Promise<T>) => within(ledger.kit.clock, timing.heartbeatTimeoutMs, work)
  try {
    const reason = trouble()
    if (reason !== undefined) return { ok: false, reason }
    const uid = await ask(() => clusterUid(cluster))
    const expected = pulse.facts()?.clusterUid ?? known?.clusterUid
    // A simulated cluster begins anew with its process; a real one keeps its identity.
    if (expected && expected !== uid && row.kind !== 'sandbox') {
      return { ok: false, reason: 'another cluster answers at this address than the one that was connected' }
    }
    if (pulse.answers()) return { ok: true }
    return { ok: true, facts: { kubernetesVersion: plainText(await ask(() => cluster.version())), clusterUid: uid } }
  } catch (error) {
    return { ok: false, reason: reasonOf(error) }
  }
}

/** Whether the datacenter passed; the outcome is written down. */
async function check({ ledger, timing, row, signal, pulse, cluster, nodes, synced }: BeatOptions): Promise<boolean> {
  await Promise.race([synced, pause(ledger.kit.clock, timing.heartbeatTimeoutMs, signal)])
  if (signal.aborted) return false
  const version = pulse.facts()?.kubernetesVersion ?? ''
  const reasons = await checkCluster(cluster, version, nodes()).catch((error) => [reasonOf(error)])
  let passed = false
  await patiently(ledger.kit, 'checks', signal, async () => {
    // One cluster under two names would be offered twice, and be its own fallback. When the other passes at this very
    // instant the store refuses to have both, and this is done again.
    const uid = pulse.facts()?.clusterUid ?? ''
    const twin = await selectTwin(ledger.kit.database, row.datacenter_id, uid)
    const all = twin === undefined ? reasons : [`this cluster is already connected as ${twin}`, ...reasons]
    await recordChecks(ledger, subjectOf(row), uid, all)
    passed = all.length === 0
  })
  return passed
}

export function subjectOf(row: ConnectionRow): Subject {
  return { id: row.datacenter_id, slug: row.slug, operatorId: row.operator_id }
}
