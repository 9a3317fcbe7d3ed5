/** A guard as a program and the agent of its datacenter: who may start where, and when *stopped* is said. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createGuards } from '../../services/agent/fallback/guards.ts'
import { activeEpochLabel } from '../../services/agent/guard/gate.ts'
import { guardKey } from '../support/guard-agent.ts'
import { createPlayedNode } from '../support/guard-process.ts'
import { epoch } from '../support/scripted-desk.ts'
import { createTown, memoryRecord, startAgent } from '../support/town.ts'
import { until } from '../support/until.ts'

t.setTimeout(3 * 60_000)

/** The node of the town with its guard; the agent is the same code as in a cluster, with a desk that the test plays. */
async function stage(t: Test) {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  const agent = await startAgent(t, town, memoryRecord())
  const server = createGuards({ key: Buffer.from(guardKey), answer: agent.fallback.answerGuard })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const node = await createPlayedNode(t, 'node-a', (server.address() as AddressInfo).port)
  return { town, agent, ...node, desk: agent.meet({ self: { level: 2 } }) }
}

const gated = (name: string, label = '1.1') => ({
  namespace: 'zaken',
  name,
  isGated: true,
  labels: { [activeEpochLabel]: label },
})

t.test('a pod waits for the lease of its datacenter, and goes with it', async (t) => {
  const { cri, desk, begin, runs, ready } = await stage(t)
  cri.startPod(gated('zaken-1'))
  await begin()
  await until(() => desk.said.some(({ kind }) => kind === 'renew'), 'the agent to be at work')
  t.same(cri.running(), [])
  desk.grant('h_1', 1)
  await runs('zaken-1')
  await until(async () => (await ready()) === 200, 'the guard to say that all is well')
  desk.answers = false
  await runs('zaken-1', false)
  cri.startPod(gated('zaken-2'))
  await until(() => cri.waiting().includes('zaken-2'), 'the next to wait')
  desk.answers = true
  await runs('zaken-2')
  t.equal(cri.starts('zaken-1'), 1)
})

t.test('stopped is said when the guard has seen the last container go, and not when the API server has', async (t) => {
  const { town, cri, desk, begin, runs, signal } = await stage(t)
  cri.startPod(gated('zaken-1'))
  await begin()
  desk.grant('h_1', 1)
  await runs('zaken-1')
  signal('SIGSTOP')
  desk.granted.clear()
  const order = () => desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(1) })
  const isSaid = () => desk.said.some(({ kind }) => kind === 'stopped')
  const renewals = () => desk.said.filter(({ kind }) => kind === 'renew').length
  order()
  await until(() => town.pods('zaken') === 0, 'the pods to be gone from the API server')
  const before = renewals()
  await until(() => {
    order()
    return renewals() > before + 6
  }, 'more than a lease and a stop budget to pass')
  t.same(cri.running(), ['zaken-1'])
  t.notOk(isSaid(), 'a container of it still runs')
  signal('SIGCONT')
  await runs('zaken-1', false)
  await until(() => {
    order()
    return isSaid()
  }, 'it to be said')
  t.same(cri.running(), [])
})
