/** Who gets a channel of failover at the agent's proxy: the desk in its own name, while the agent takes part. */
import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import pino from 'pino'
import t, { type Test } from 'tap'
import { type Channel, createProxy } from '../../../services/agent/proxy.ts'
import { acceptChannel, requestChannel } from '../../../services/fallback/wire/index.ts'

async function scene(t: Test, channel?: Channel) {
  const access = {} as Parameters<typeof createProxy>[0]['access']
  const namespaces = { find: async () => 'absent' as const }
  const log = pino({ level: 'silent' })
  const proxy = createProxy({ access, namespaces, log, ...(channel && { channel }) }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => void proxy.close())
  const { port } = proxy.address() as AddressInfo
  const pipe = () => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    return socket
  }
  return { port, ask: () => requestChannel(pipe(), AbortSignal.timeout(5_000)) }
}

t.test('an agent that takes part gives its end away, one that does not says which it is', async (t) => {
  let state: ReturnType<Channel['state']> = 'later'
  let taken = 0
  const accept: Channel['accept'] = (pipe, first) => {
    taken += 1
    t.equal(first.length, 0)
    acceptChannel(pipe)
    pipe.write('ready\n')
  }
  const { port, ask } = await scene(t, { state: () => state, accept })
  await t.rejects(ask(), /answered 503/)
  state = 'never'
  await t.rejects(ask(), /answered 404/)
  t.equal(taken, 0)
  state = 'open'
  await ask()
  t.equal(taken, 1)

  const headers = { connection: 'Upgrade', upgrade: 'gemeentecloud-fallback/1', 'impersonate-user': 'gc:somebody' }
  const passed = request({ port, host: '127.0.0.1', path: '/gemeentecloud/fallback', headers }).end()
  const [answer] = await once(passed, 'response')
  t.equal(answer.statusCode, 400, 'nobody else is given one')
  answer.resume()
  t.equal(taken, 1)
})

t.test('an agent of which failover is turned off is none', async (t) => {
  const { ask } = await scene(t)
  await t.rejects(ask(), /answered 404/)
})
