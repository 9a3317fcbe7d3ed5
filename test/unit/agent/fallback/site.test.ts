/** A site on a sandbox cluster: nothing runs without a lease, what ran comes back as it was, and it is never said too soon. */
import t from 'tap'
import { epoch, quick } from '../../../support/scripted-desk.ts'
import { createTown, memoryRecord, startAgent } from '../../../support/town.ts'
import { until } from '../../../support/until.ts'

const heard = (said: readonly { kind: string }[], kind: string) => said.some((message) => message.kind === kind)

t.test('an exclusive hosting runs by its lease, stops when that runs out, and runs again', async (t) => {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  const agent = await startAgent(t, town, memoryRecord())
  const desk = agent.meet()
  await until(() => heard(desk.said, 'renew'), 'a renewal')
  desk.grant('h_1', 1)
  await until(() => heard(desk.said, 'accepted'), 'the offer to be accepted')
  const space = () => town.cluster.store.get('Namespace', undefined, 'zaken')
  const activeEpoch = () => space()?.metadata.annotations?.['gemeentecloud.nl/active-epoch']
  await until(() => activeEpoch() === '1.1', 'it to run')
  t.equal(town.pods('zaken'), 2)

  const ref = { apiVersion: 'v1', kind: 'Namespace', name: 'zaken' }
  const annotations = { 'gemeentecloud.nl/active-epoch': null }
  await town.client.patch(ref, { metadata: { annotations } }, { fieldManager: 'test' })
  await until(() => activeEpoch() === '1.1', 'what somebody took off the namespace to be put back')

  desk.answers = false
  const stoppedAt = performance.now()
  await until(() => town.pods('zaken') === 0 && town.replicas('zaken') === 0, 'it to be stopped')
  t.ok(performance.now() - stoppedAt < quick.leaseMs + quick.stopMs, 'within lease and stop budget')
  t.equal(town.cluster.store.get('ResourceQuota', 'zaken', 'gemeentecloud-gate')?.spec?.hard?.['pods'], '0')

  desk.answers = true
  await until(() => town.replicas('zaken') === 2 && town.pods('zaken') === 2, 'it to run again')
  t.equal(town.cluster.store.get('ResourceQuota', 'zaken', 'gemeentecloud-gate'), undefined)
  const web = town.cluster.store.get('Deployment', 'zaken', 'web')
  t.equal(web?.metadata.annotations?.['gemeentecloud.nl/replicas'], undefined)
})

t.test('a pinned hosting runs on without a lease and stops on order', async (t) => {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  const agent = await startAgent(t, town, memoryRecord())
  const desk = agent.meet()
  desk.grant('h_1', 1, 'pinned')
  await until(() => desk.said.some((m) => m.kind === 'renew' && m.holds.some(({ active }) => active)), 'it to be held')
  desk.answers = false
  const renewals = () => desk.said.filter(({ kind }) => kind === 'renew').length
  const before = renewals()
  await until(() => renewals() > before + 6, 'more than a lease and a stop budget to pass')
  t.equal(town.pods('zaken'), 2)
  desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(1) })
  await until(() => town.pods('zaken') === 0, 'it to be stopped')
  await until(() => {
    desk.say({ kind: 'ask-stopped', hosting: 'h_1', epoch: epoch(1) })
    return heard(desk.said, 'stopped')
  }, 'it to be said')
  t.equal(town.pods('zaken'), 0)
})
