/** How far a standby lags behind changes at the active site: two real clusters behind agents, the desk in this process. */
import { loadavg } from 'node:os'
import type { Test } from 'tap'
import { systemClock } from '../../services/shared/clock.ts'
import { type ClusterClient, connectCluster, sanitizeKubeconfig } from '../../services/shared/kubernetes/index.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { configMap } from '../clusters/mirror-objects.ts'
import { patience, setMirrorStage } from '../clusters/mirror-stage.ts'
import { type Cluster, missingForClusters, until } from '../clusters/start.ts'

const changesPerSecond = 10
const objects = 20

export interface MirrorFigures {
  /** Of one minute, before and after: with more than the machine has cores, others measured along. */
  readonly load: readonly number[]
  readonly changes: number
  /** From the answer of the active site's API server until a watch at the standby tells it. */
  readonly lagMs: { readonly p50: number; readonly p99: number; readonly most: number }
  /** Until 200 objects that were made in one go stood at the standby. */
  readonly twoHundredMs: number
}

/** The reason when this machine has no Kubernetes programs. */
export async function benchMirror(seconds: number): Promise<MirrorFigures | string> {
  const missing = await missingForClusters()
  if (missing !== undefined) return missing
  const undo: (() => unknown)[] = []
  const t = { teardown: (each: () => unknown) => void undo.unshift(each) } as unknown as Test
  const before = loadavg()[0] ?? 0
  try {
    const stage = await setMirrorStage(t)
    const { primary, standby } = await stage.host('open-zaak', 1, { mode: 'cold' })
    const [here, there] = [await admin(primary), await admin(standby)]
    undo.unshift(here.close, there.close)
    const twoHundredMs = await many(here, there)
    const lags = await steady(here, there, seconds)
    const at = (share: number) => Math.round(lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? 0)
    return {
      load: [before, loadavg()[0] ?? 0].map((one) => Math.round(one * 10) / 10),
      changes: lags.length,
      lagMs: { p50: at(0.5), p99: at(0.99), most: at(1) },
      twoHundredMs: Math.round(twoHundredMs),
    }
  } finally {
    for (const each of undo) await each()
  }
}

async function admin(cluster: Cluster): Promise<ClusterClient> {
  const policy = { allowedAddresses: ['127.0.0.0/8'] }
  const read = sanitizeKubeconfig(cluster.kubeconfig, policy)
  if (!read.ok) throw new Error('the kubeconfig of the test cluster cannot be read')
  return connectCluster(read.connection, { ...policy, refusedAddresses: [], clock: systemClock, random: systemRandom })
}

const write = (client: ClusterClient, name: string, text: string) =>
  client.apply(configMap('open-zaak', name, text) as Parameters<ClusterClient['apply']>[0], {
    fieldManager: 'bench',
    force: true,
  })

/** Calls `seen` with each text of a ConfigMap as the standby has it; returns what ends that. */
async function follow(client: ClusterClient, seen: (text: string) => void): Promise<() => void> {
  const ended = new AbortController()
  const keep = (object: { readonly [field: string]: unknown }) =>
    String((object['data'] as { readonly text?: string } | undefined)?.text ?? '')
  const informer = client.informer(
    { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'open-zaak', keep },
    { changed: (text: string) => seen(text) },
    ended.signal,
  )
  await informer.synced
  return () => ended.abort()
}

async function many(here: ClusterClient, there: ClusterClient): Promise<number> {
  const seen = new Set<string>()
  const stop = await follow(there, (text) => seen.add(text))
  const began = performance.now()
  const texts = Array.from({ length: 200 }, (_, n) => `made ${n}`)
  await Promise.all(texts.map((text, n) => write(here, `made-${n}`, text)))
  await until('200 objects', patience, () => texts.every((text) => seen.has(text)) || undefined, 5)
  stop()
  return performance.now() - began
}

async function steady(here: ClusterClient, there: ClusterClient, seconds: number): Promise<number[]> {
  const writtenAt = new Map<string, number>()
  const seenAt = new Map<string, number>()
  const stop = await follow(there, (text) => seenAt.set(text, performance.now()))
  const began = performance.now()
  const count = seconds * changesPerSecond
  for (let n = 0; n < count; n++) {
    await systemClock.sleep(Math.max(0, began + (n * 1_000) / changesPerSecond - performance.now()))
    const text = `change ${n}`
    await write(here, `changing-${n % objects}`, text)
    writtenAt.set(text, performance.now())
  }
  await until('the last change', patience, () => seenAt.has(`change ${count - 1}`) || undefined, 5)
  stop()
  // One that was written over before its turn came is not missed.
  const lags = [...writtenAt].flatMap(([text, at]) => (seenAt.has(text) ? [(seenAt.get(text) ?? 0) - at] : []))
  return lags.map((ms) => Math.max(0, ms)).sort((a, b) => a - b)
}
