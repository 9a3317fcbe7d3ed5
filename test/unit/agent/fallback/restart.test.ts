/** An agent that ends and comes back: what is pinned goes on, what is exclusive only with a lease that is heard in time. */
import t from 'tap'
import { systemClock } from '../../../../services/shared/clock.ts'
import type { ScriptedDesk } from '../../../support/scripted-desk.ts'
import { createTown, memoryRecord, startAgent } from '../../../support/town.ts'
import { until } from '../../../support/until.ts'

const renewals = ({ said }: ScriptedDesk) => said.filter(({ kind }) => kind === 'renew').length

async function restarted(t: Parameters<typeof createTown>[0], activity: 'exclusive' | 'pinned', answers: boolean) {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  const store = memoryRecord()
  const first = await startAgent(t, town, store)
  const desk = first.meet()
  desk.grant('h_1', 1, activity)
  const space = () => town.cluster.store.get('Namespace', undefined, 'zaken')
  await until(() => space()?.metadata.annotations?.['gemeentecloud.nl/active-epoch'] === '1.1', 'it to run')
  await until(() => (store.kept()?.guard?.grants.length ?? 0) === (activity === 'pinned' ? 1 : 0), 'what lasts is kept')
  const pods = () => town.cluster.store.list('Pod', 'zaken').map(({ metadata }) => metadata.uid)
  const before = pods()
  await first.stop()
  const second = await startAgent(t, town, store)
  const next = second.meet({ granted: desk.granted })
  next.answers = answers
  return { town, desk: next, pods, before }
}

t.test('a pinned hosting goes on though no desk is heard', async (t) => {
  const { desk, pods, before } = await restarted(t, 'pinned', false)
  await until(() => renewals(desk) > 8, 'more than a lease and a stop budget to pass')
  t.same(pods(), before, 'the same pods')
})

t.test('an exclusive hosting goes on by a lease that is renewed', async (t) => {
  const { desk, pods, before } = await restarted(t, 'exclusive', true)
  await until(() => renewals(desk) > 8, 'more than a lease and a stop budget to pass')
  t.same(pods(), before, 'the same pods')
})

t.test('an exclusive hosting whose lease is not renewed is stopped', async (t) => {
  const { town } = await restarted(t, 'exclusive', false)
  await until(() => town.pods('zaken') === 0 && town.replicas('zaken') === 0, 'it to be stopped')
  t.equal(town.cluster.store.get('ResourceQuota', 'zaken', 'gemeentecloud-gate')?.spec?.hard?.['pods'], '0')
})

t.test('a machine that slept for longer than a lease wakes up without one', async (t) => {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  let sleptMs = 0
  const clock = { ...systemClock, monotonic: () => performance.now() + sleptMs }
  const agent = await startAgent(t, town, memoryRecord(), { clock })
  const profile = { leaseMs: 60_000, renewMs: 1_000, stopMs: 2_000, drift: 0.01 }
  const desk = agent.meet({ profile })
  desk.grant('h_1', 1)
  const space = () => town.cluster.store.get('Namespace', undefined, 'zaken')
  await until(() => space()?.metadata.annotations?.['gemeentecloud.nl/active-epoch'] === '1.1', 'it to run')
  const before = performance.now()
  sleptMs = 2 * profile.leaseMs
  desk.answers = false
  await until(() => town.pods('zaken') === 0, 'it to be stopped')
  t.ok(
    performance.now() - before < profile.leaseMs / 2,
    'before the lease would have run out by the time that it was awake',
  )
})

t.test('an agent whose record was lost leaves what is pinned alone, and stops what is exclusive', async (t) => {
  const town = await createTown(t)
  for (const [hosting, name, activity] of [
    ['h_1', 'pinned', 'pinned'],
    ['h_2', 'exclusive', 'exclusive'],
  ] as const) {
    await town.settle(hosting, name)
    const metadata = {
      labels: { 'gemeentecloud.nl/activity': activity },
      annotations: { 'gemeentecloud.nl/active-epoch': '1.1' },
    }
    await town.client.patch({ apiVersion: 'v1', kind: 'Namespace', name }, { metadata }, { fieldManager: 'test' })
  }
  await until(() => town.pods('pinned') === 2 && town.pods('exclusive') === 2, 'both to run')
  const agent = await startAgent(t, town, memoryRecord())
  const desk = agent.meet()
  await until(() => town.pods('exclusive') === 0 && town.replicas('exclusive') === 0, 'the one to be stopped')
  const before = renewals(desk)
  await until(() => renewals(desk) > before + 3, 'a lease to pass')
  t.equal(town.pods('pinned'), 2)
})
