/** A mirror that may be ended at any call and begun anew, and a write that comes late. */
import pino from 'pino'
import t, { type Test } from 'tap'
import type { PairDependencies } from '../../../services/broker/mirror/dependencies.ts'
import { runPair } from '../../../services/broker/mirror/pair.ts'
import type { PairRow, Report } from '../../../services/broker/mirror/store.ts'
import { type Clock, systemClock } from '../../../services/shared/clock.ts'
import { systemRandom } from '../../../services/shared/random.ts'
import { until } from '../../clusters/wait.ts'
import { type FakeSite, fakeSite, gone } from './fake-site.ts'

const speed = 200
const fastClock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * speed,
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
}
const site = (slug: string) => ({ datacenter_id: `dc_${slug}`, slug, kind: 'agent', version: 1 })
const row: PairRow = {
  hostingId: 'hst_1',
  name: 'open-zaak',
  partyId: 'pty_1',
  mode: 'cold',
  warmReplicas: 1,
  activity: 'pinned',
  activePlacementId: 'plc_1',
  active: site('amersfoort'),
  otherPlacementId: 'plc_2',
  other: site('breda'),
  role: 'standby',
  epoch: 1,
  data: [],
  syncedAtMs: null,
  behindSinceMs: null,
  dataStates: [],
}

const map = (name: string, text: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { text },
})
const web = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { replicas, template: {} },
})

interface Stage {
  readonly active: FakeSite
  readonly other: FakeSite
  last: Report | undefined
  confirm: () => boolean
  /** Starts the mirror; the returned function ends it. */
  begin(given?: Partial<PairRow>): { end(): Promise<void>; readonly over: Promise<void> }
  /** Resolves when it reports that nothing is lacking. */
  settled(): Promise<Report>
}

function setStage(watches?: number): Stage {
  const active = fakeSite('amersfoort', row.hostingId, watches)
  const other = fakeSite('breda', row.hostingId)
  const stage: Stage = {
    active,
    other,
    last: undefined,
    confirm: () => true,
    begin: (given = {}) => {
      const aborted = new AbortController()
      const deps: PairDependencies = {
        kit: { clock: fastClock, random: systemRandom, log: pino({ level: 'silent' }) } as PairDependencies['kit'],
        timing: { lookMs: 300_000, listMs: 30_000, dataMs: 30_000 },
        metrics: { wrote: () => undefined },
        confirm: async () => stage.confirm(),
        report: (report) => {
          stage.last = report
        },
      }
      stage.last = undefined
      const over = runPair(
        deps,
        { ...row, ...given },
        { active: active.datacenter, other: other.datacenter },
        aborted.signal,
      )
      return {
        over,
        end: async () => {
          aborted.abort()
          await over
        },
      }
    },
    settled: () =>
      until('nothing to be lacking', 20_000, () =>
        stage.last?.syncedAtMs && stage.last.behindSinceMs === null && stage.last.problem === null
          ? stage.last
          : undefined,
      ),
  }
  return stage
}

const whole = ({ active, other }: Stage, t: Test) => {
  t.same([...other.objects.keys()].sort(), [...active.objects.keys()].sort())
  for (const [key, object] of active.objects)
    if (object['data']) t.same(other.objects.get(key)?.['data'], object['data'])
  t.equal(other.get('Deployment', 'web')?.spec.replicas, 0)
}

t.test('it may be ended at any call, and begun anew comes to the same', async (t) => {
  let calls = 0
  for (let cutAt = 1; ; cutAt++) {
    const stage = setStage()
    const { active, other } = stage
    for (const object of [map('a', '1'), map('b', '1'), web(3)]) active.write(object)
    // What was mirrored before: one that is to change, and one that is to go.
    const first = stage.begin()
    await stage.settled()
    await first.end()
    active.write(map('a', '2'))
    active.remove('ConfigMap', 'b')
    active.write(map('c', '1'))
    calls = 0
    const count = () => {
      calls++
      if (calls >= cutAt) gone()
    }
    active.before = count
    other.before = count
    const second = stage.begin()
    await until('the cut or the end', 20_000, () => calls >= cutAt || stage.last?.behindSinceMs === null || undefined)
    const isCut = calls >= cutAt
    await second.end()
    active.before = () => undefined
    other.before = () => undefined
    const third = stage.begin()
    await stage.settled()
    await third.end()
    whole(stage, t)
    if (!isCut) break
    if (cutAt > 200) t.fail('it never comes to an end')
  }
  t.ok(calls > 10, `${calls} calls, each of which was the last`)
})

t.test('a write that comes late to a site that was made active changes nothing', async (t) => {
  const stage = setStage()
  const { active, other } = stage
  for (const object of [web(3), map('a', '1')]) active.write(object)
  const first = stage.begin()
  await stage.settled()
  await first.end()

  active.write(web(4))
  active.remove('ConfigMap', 'a')
  const copy = other.get('Deployment', 'web')
  const kept = other.get('ConfigMap', 'a')
  let asked = 0
  stage.confirm = () => {
    asked++
    if (asked > 1) return false
    // It was asked, and then the roles changed, and the site was made active, before anything of it came there.
    other.write({ ...copy, spec: { ...copy?.spec, replicas: 3 } })
    other.write({ ...kept, data: { text: 'of the new active site' } })
    return true
  }
  other.written.length = 0
  await stage.begin().over
  t.equal(other.get('Deployment', 'web')?.spec.replicas, 3)
  t.same(other.get('ConfigMap', 'a')?.['data'], { text: 'of the new active site' })
  t.same(other.written, [])
})

t.test('a namespace that a later decision has written is not written to: it may be what runs', async (t) => {
  const stage = setStage()
  for (const object of [web(3), map('a', '1')]) stage.active.write(object)
  if (stage.other.namespace) stage.other.namespace.epoch = 2
  const mirror = stage.begin()
  await until('it to be noticed', 20_000, () => /later epoch/.test(stage.last?.problem ?? '') || undefined)
  t.same(stage.other.written, [])
  if (stage.other.namespace) stage.other.namespace.epoch = 1
  await stage.settled()
  await mirror.end()
  t.equal(stage.other.get('Deployment', 'web')?.spec.replicas, 0, 'as soon as it is what the store takes it for it is')
})

t.test('nothing is taken away without a witness', async (t) => {
  for (const [why, spoil] of [
    [
      'a namespace that is not there',
      (stage: Stage) => {
        stage.active.namespace = undefined
      },
    ],
    [
      'one that is being removed',
      (stage: Stage) => {
        if (stage.active.namespace) stage.active.namespace.terminating = true
      },
    ],
    [
      'one of somebody else',
      (stage: Stage) => {
        if (stage.active.namespace) stage.active.namespace.hosting = 'hst_2'
      },
    ],
    [
      'one that was made anew',
      (stage: Stage) => {
        if (stage.active.namespace) stage.active.namespace.uid = 'another'
      },
    ],
  ] as const) {
    const stage = setStage()
    for (const object of [web(3), map('a', '1'), map('b', '1')]) stage.active.write(object)
    const mirror = stage.begin()
    await stage.settled()
    stage.other.written.length = 0
    spoil(stage)
    for (const name of ['a', 'b']) stage.active.remove('ConfigMap', name)
    await until('it to be noticed', 20_000, () => stage.last?.problem || stage.last?.differences.length || undefined)
    await mirror.end()
    t.ok(stage.other.get('ConfigMap', 'a') && stage.other.get('ConfigMap', 'b'), why)
    const touched = stage.other.written.filter((key) => key.startsWith('ConfigMap/'))
    t.same(touched, [], why)
  }
})

t.test('where there are too many for watches it is by lists', async () => {
  const stage = setStage(0)
  for (const object of [web(3), map('a', '1'), map('b', '1')]) stage.active.write(object)
  const mirror = stage.begin()
  await stage.settled()
  stage.active.write(map('a', '2'))
  stage.active.remove('ConfigMap', 'b')
  const { other } = stage
  await until('the changes', 20_000, () => {
    const { text } = (other.get('ConfigMap', 'a')?.['data'] ?? {}) as { text?: string }
    return (text === '2' && !other.get('ConfigMap', 'b')) || undefined
  })
  await mirror.end()
})

t.test('where it ran before nothing is written', async (t) => {
  const stage = setStage()
  stage.active.write(map('a', 'new'))
  stage.other.write(map('a', 'old'))
  stage.other.write(map('own', 'old'))
  const mirror = stage.begin({ role: 'former' })
  const { differences } = await until('it to be compared', 20_000, () =>
    stage.last && stage.last.differences.length >= 2 ? stage.last : undefined,
  )
  await mirror.end()
  t.same(differences, [
    { kind: 'ConfigMap', name: 'a', what: 'differs' },
    { kind: 'ConfigMap', name: 'own', what: 'only-there' },
  ])
  t.same(stage.other.written, [])
})

t.test('a kind that the tenant may not have at the other site stalls no other', async (t) => {
  const stage = setStage()
  stage.other.may = ['configmaps', 'deployments']
  for (const object of [map('a', '1'), { ...map('b', '1'), kind: 'Secret' }]) stage.active.write(object)
  const mirror = stage.begin()
  const { differences } = await stage.settled()
  await mirror.end()
  t.ok(stage.other.get('ConfigMap', 'a'))
  t.same(differences, [{ kind: 'Secret', name: '*', what: 'unknown-there' }])
})
