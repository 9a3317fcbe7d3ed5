/** The desk's end of a connection whose agent has said goodbye. */
import t from 'tap'
import { clientOf, layCable, startAgent, startDesk } from '../../support/tunnel.ts'
import { until } from '../../support/until.ts'

t.setTimeout(120_000)

const datacenterId = 'dc_goodbye'
const quick = { pingMs: 100, pongMs: 200, handshakeMs: 2_000, drainMs: 300 }

t.test('an agent that has said goodbye is let go when nothing is under way, its end seen or not', async (t) => {
  const desk = await startDesk({ limits: { ...quick, drainMs: 60_000 } })
  const cable = await layCable(desk.port)
  const agent = startAgent(
    { servers: [cable.address], limits: quick },
    desk.authority,
    await clientOf(desk.authority, datacenterId),
  )
  t.teardown(async () => {
    await Promise.all([desk.server.close(), agent.stop()])
    cable.close()
  })
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  const pipe = await desk.server.open(datacenterId)
  pipe.on('error', () => undefined)
  const stopped = agent.stop()
  await until(async () => {
    const error = await desk.server.open(datacenterId).catch((failure) => failure)
    return error.reason === 'busy'
  }, 'the desk heard that the agent leaves')
  cable.freeze()
  t.equal(desk.server.connections().length, 1, 'what is under way has its time')
  pipe.destroy()
  await until(() => desk.server.connections().length === 0, 'the connection is let go')
  await stopped
})
