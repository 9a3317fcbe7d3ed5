/** Several replicas of the desk: an agent is connected to each, and comes to one that is new before long. */
import t from 'tap'
import { systemClock } from '../../../services/shared/clock.ts'
import { clientOf, newAuthority, startAgent, startDesk } from '../../support/tunnel.ts'
import { until } from '../../support/until.ts'

t.setTimeout(120_000)

const datacenterId = 'dc_replicas'
const quick = { pingMs: 100, pongMs: 200, handshakeMs: 2_000, drainMs: 300 }

t.test('an agent meets every replica of the desk, and none twice', async (t) => {
  const authority = await newAuthority('tunnel')
  const replica = (id: string) => ({ replica: { id, count: 3 }, limits: quick })
  const desks = await Promise.all(['a', 'b', 'c'].map((id) => startDesk(replica(id), authority)))
  const servers = desks.map((desk) => desk.address)
  const [first = ''] = servers
  const identity = await clientOf(authority, datacenterId)
  // The first is listed three times, as a balancer would lead to one replica more often than not.
  const agent = startAgent({ servers: [first, first, ...servers], limits: quick }, authority, identity)
  t.teardown(() => Promise.all([agent.stop(), ...desks.map((desk) => desk.server.close())]))
  await until(() => agent.state()?.connected.length === 3, 'all three')
  const count = () => desks.map((desk) => desk.server.connections().length)
  await until(() => String(count()) === '1,1,1', 'each has one')
  t.equal(agent.state()?.problem, undefined, 'to come to one again is no problem')

  const [, , last] = desks
  await last?.server.drain()
  await until(() => agent.state()?.connected.length === 2, 'one is gone')
  for (const desk of desks) desk.server.setReplicaCount(2)
  await until(() => agent.state()?.replicas === 2, 'the agent was told that there are two')
})

t.test('an agent that looks for one replica more behind one address is not kept waiting long', async (t) => {
  const desk = await startDesk({ replica: { id: 'a', count: 2 } })
  const identity = await clientOf(desk.authority, datacenterId)
  const waits: number[] = []
  const enough = 18
  // Waits before an attempt pass at once; all other limits are longer than any of these.
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => {
      if (ms <= 30_000 && waits.length < enough) waits.push(ms)
      return systemClock.sleep(ms <= 30_000 && waits.length < enough ? 0 : ms, signal)
    },
  }
  const limits = { handshakeMs: 60_000, pingMs: 60_000, pongMs: 60_000, openMs: 60_000 }
  const agent = startAgent({ servers: [desk.address], clock, limits }, desk.authority, identity)
  t.teardown(() => Promise.all([agent.stop(), desk.server.close()]))
  await until(() => waits.length === enough, 'it to have tried again and again')
  const seconds = waits.reduce((sum, ms) => sum + ms, 0) / 1000
  t.ok(seconds < 90, `${enough} attempts in ${seconds} s: of five replicas one is then missed by 2 %`)
  t.ok((waits.at(-1) ?? 0) > 5_000, 'and for one that cannot be met it does not try so often for ever')
  t.equal(agent.state()?.problem, undefined)
})
