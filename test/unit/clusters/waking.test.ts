/** What is held back in a namespace is woken by the desk as far as it may, and what waits for its data by nobody else. */
import t from 'tap'
import { wake } from '../../../services/agent/fallback/workloads.ts'
import { lookAtWorkloads, wakeWorkloads } from '../../../services/broker/clusters/index.ts'
import { sitesBy } from '../../../services/broker/fallback/operations/finish/sites.ts'
import { createTown } from '../../support/town.ts'

const waiting = { 'gemeentecloud.nl/waits-for-data': '2', 'gemeentecloud.nl/replicas': '0' }
const web = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'zaken' }
const yes = async () => true
const no = async () => false

/** A Deployment of two that sleeps, by these marks. */
async function asleep(t: Parameters<typeof createTown>[0], annotations: Record<string, string>) {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  await town.client.patch(web, { metadata: { annotations }, spec: { replicas: 0 } }, { fieldManager: 'test' })
  return town
}

t.test('an agent that is granted it lets it sleep', async (t) => {
  const { client, replicas } = await asleep(t, waiting)
  for (const epoch of ['1.1', '1.1', '1.2']) t.ok(await wake(client, 'zaken', epoch, () => true))
  t.equal(replicas('zaken'), 0)
  t.match(await lookAtWorkloads(client, 'zaken'), { heldBack: 1, waiting: ['Deployment web (waits for its data)'] })
})

t.test('it is started once, when that is confirmed after it was read', async (t) => {
  const { client, replicas } = await asleep(t, waiting)
  await wakeWorkloads(client, 'zaken', 'opr_1', no)
  t.equal(replicas('zaken'), 0)
  const change = { metadata: { labels: { changed: 'meanwhile' } } }
  await wakeWorkloads(client, 'zaken', 'opr_1', async () => {
    await client.patch(web, change, { fieldManager: 'test' })
    return true
  })
  t.equal(replicas('zaken'), 0, 'not what is another since')
  await wakeWorkloads(client, 'zaken', 'opr_1', yes)
  t.equal(replicas('zaken'), 2)
  t.same(await client.read(web).then((found) => found?.metadata.annotations ?? {}), {})
  await client.patch(web, { spec: { replicas: 1 } }, { fieldManager: 'test' })
  await wakeWorkloads(client, 'zaken', 'opr_1', yes)
  t.equal(replicas('zaken'), 1, 'and is the tenant’s from then on')
})

t.test('what has no data to wait for is held back, and woken, as before', async (t) => {
  const { client, replicas } = await asleep(t, { 'gemeentecloud.nl/replicas': '2' })
  t.match(await lookAtWorkloads(client, 'zaken'), { heldBack: 1, waiting: ['Deployment web (held back)'] })
  await wakeWorkloads(client, 'zaken', 'opr_1', yes)
  t.equal(replicas('zaken'), 2)
})

t.test('an operation ends the wait, whoever stops and starts what runs there', async (t) => {
  for (const kind of ['agent', 'push']) {
    const { client, replicas } = await asleep(t, waiting)
    const own = { ...client, as: () => own, close: async () => undefined }
    const { look } = sitesBy({} as Parameters<typeof sitesBy>[0], async () => own)
    const site = { datacenter_id: 'dc_1', slug: 'breda', kind }
    const { waiting: waits } = await look(site, 'zaken', 'pty_1', 'opr_1', no)
    t.same(waits, ['Deployment web (waits for its data)'], kind)
    await look(site, 'zaken', 'pty_1', 'opr_1', yes)
    t.equal(replicas('zaken'), 2, kind)
  }
})
