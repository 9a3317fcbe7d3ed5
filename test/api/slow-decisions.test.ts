/** Decisions that take long are made in several goes, so that a replica does other things in between; none is left out. */
import t from 'tap'
import { runCycle } from '../../services/broker/scheduling/cycle.ts'
import { schedulingMetrics } from '../../services/broker/scheduling/index.ts'
import { createRetry } from '../../services/broker/scheduling/waiting.ts'
import { loadPicture } from '../../services/broker/scheduling/world.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { testApi } from '../support/api.ts'

t.test('a second for each decision', async (t) => {
  const api = await testApi(t)
  const datacenterId = await api.activeDatacenter({ offer: { cpu: '3', memory: '64Gi', pods: '50' } })
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body: { slug: 'zaak', name: 'Z', classes } })).body
    .id
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    const components = [{ name: 'web', replicas: 1, requests: { cpu: '1', memory: '1Gi' } }]
    const body = { name, systemId, components, fallback: { mode: 'none' }, waitForCapacity: true }
    await api.call('consumer', 'POST', 'hostings', { body })
  }
  let ms = 0
  const kit = { ...api.kit, clock: { ...api.kit.clock, monotonic: () => (ms += 500) } }
  const epoch = (await kit.database.query<{ epoch: number }>('select epoch from leader'))[0]?.epoch ?? 0
  const term = { epoch, signal: new AbortController().signal }
  const picture = await loadPicture(kit, kit.clock.now())
  const metrics = schedulingMetrics(createRegistry(), kit, () => true)

  const outcomes: string[][] = []
  for (;;) {
    const written = await runCycle(kit, term, picture, { metrics, decided: () => undefined })
    if (!written) break
    outcomes.push(written.map(({ row, decision }) => `${row.name} ${decision.outcome}`))
  }
  const refused = ['d', 'e', 'f', 'g'].map((name) => [`${name} unschedulable`])
  t.same(outcomes, [['a placed'], ['b placed'], ['c placed'], ...refused], 'one by one, in order')

  await kit.database.query(`update offers set amounts = amounts || '{"cpu": 6000}' where datacenter_id = $1`, [
    datacenterId,
  ])
  const retry = createRetry(kit, term, await loadPicture(kit, kit.clock.now()))
  const pending = async () =>
    (await kit.database.query<{ name: string }>(`select name from hostings where scheduling = 'pending' order by name`))
      .map(({ name }) => name)
      .join('')
  const seen: string[] = []
  for (let more = true; more; seen.push(await pending())) more = await retry.step()
  t.same(seen, ['d', 'de', 'def', 'defg'], 'and who waits for capacity is tried one by one too, each once')
})
