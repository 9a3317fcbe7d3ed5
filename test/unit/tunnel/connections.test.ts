/** Who is connected: identity, admission, versions, limits, lost and silent peers, drain. */
import { createHash, createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { connect as dialTcp } from 'node:net'
import { connect as dialTls } from 'node:tls'
import t from 'tap'
import { systemClock } from '../../../services/shared/clock.ts'
import type { PeerCertificateFacts } from '../../../services/tunnel/index.ts'
import { clientOf, echo, layCable, newAuthority, startAgent, startDesk, validity } from '../../support/tunnel.ts'
import { until } from '../../support/until.ts'

t.setTimeout(120_000)

const datacenterId = 'dc_connections'
const quick = { pingMs: 100, pongMs: 200, handshakeMs: 2_000, drainMs: 300 }

t.test('identity is what the verified certificate says', async (t) => {
  const seen: PeerCertificateFacts[] = []
  const desk = await startDesk({
    admit: async (peer) => {
      seen.push(peer)
      return { accepted: true }
    },
  })
  const identity = await clientOf(desk.authority, datacenterId)
  const agent = startAgent({ servers: [desk.address] }, desk.authority, identity)
  t.teardown(() => Promise.all([desk.server.close(), agent.stop()]))
  await until(() => agent.state()?.connected.length === 1, 'the agent is connected')
  await until(() => desk.server.connections().length === 1, 'the desk too')
  const spki = createPublicKey(identity.cert).export({ type: 'spki', format: 'der' })
  t.match(seen, [
    { datacenterId, organisation: 'gemeentecloud', spkiSha256: createHash('sha256').update(spki).digest('hex') },
  ])
  t.match(desk.server.connections(), [{ datacenterId, agentVersion: '1.2.3', streams: 0 }])
  t.ok(Math.abs(desk.server.connections()[0]?.clockSkewMs ?? Number.NaN) < 1_000)
  await t.rejects(desk.server.open('dc_other'), { reason: 'absent', code: 'ECONNREFUSED' })
})

t.test('the skew of the clocks is measured', async (t) => {
  const desk = await startDesk()
  const clock = { ...systemClock, now: () => systemClock.now() - 90_000 }
  const identity = await clientOf(desk.authority, datacenterId)
  const agent = startAgent({ servers: [desk.address], clock }, desk.authority, identity)
  t.teardown(() => Promise.all([desk.server.close(), agent.stop()]))
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  const skew = desk.server.connections()[0]?.clockSkewMs ?? 0
  t.ok(skew > -91_000 && skew < -89_000, `${skew} ms`)
})

t.test('only TLS 1.3 with a certificate of ours, on either side', async (t) => {
  const admitted: string[] = []
  const desk = await startDesk({
    admit: async ({ spkiSha256 }) => {
      admitted.push(spkiSha256)
      return { accepted: true }
    },
  })
  const stranger = await newAuthority('stranger')
  const theirs = await clientOf(stranger, datacenterId)
  const ours = await clientOf(desk.authority, datacenterId)
  const past = { from: validity().from, until: validity().from + 3_600_000 }
  const expired = await clientOf(desk.authority, datacenterId, past)
  t.teardown(() => desk.server.close())
  const tls = { port: desk.port, host: '127.0.0.1', ca: desk.authority.cert, ALPNProtocols: ['gemeentecloud-tunnel'] }
  /** How a connection with these options ends, which it must without a byte of ours on it. */
  const ending = async (options: object) => {
    const socket = dialTls({ ...tls, ...options })
    let bytes = 0
    let error = 'closed'
    socket.on('data', (data) => (bytes += data.length)).on('error', (failure) => (error = failure.message))
    await new Promise((resolve) => socket.once('close', resolve))
    return { bytes, error }
  }
  t.match(await ending({ ...ours, maxVersion: 'TLSv1.2' }), { bytes: 0, error: /version/i })
  t.match(await ending({}), { bytes: 0, error: /certificate required|closed|reset/i })
  t.match(await ending(theirs), { bytes: 0, error: /unknown ca|closed|reset/i })
  t.match(await ending(expired), { bytes: 0, error: /expired|closed|reset/i })
  t.match(await ending({ ...ours, ALPNProtocols: ['h2'] }), { bytes: 0, error: /application protocol/i })

  const doubting = startAgent({ servers: [desk.address] }, stranger, ours)
  await until(() => doubting.state()?.problem !== undefined, 'the agent does not trust the desk')
  t.match(doubting.state()?.problem, /certificate/)
  const misled = startAgent({ servers: [`tls://127.0.0.2:${desk.port}`] }, desk.authority, ours)
  await until(() => misled.state()?.problem !== undefined, 'nothing listens, or under another name')
  await Promise.all([doubting.stop(), misled.stop()])
  t.same(admitted, [], 'nobody was asked about any of these')
})

t.test('no session of TLS is resumed: a CA that is trusted no longer opens no door', async (t) => {
  const desk = await startDesk()
  const identity = await clientOf(desk.authority, datacenterId)
  t.teardown(() => desk.server.close())
  const options = {
    port: desk.port,
    host: '127.0.0.1',
    ca: desk.authority.cert,
    ALPNProtocols: ['gemeentecloud-tunnel'],
    ...identity,
  }
  const first = dialTls(options).on('error', () => undefined)
  const sessions: Buffer[] = []
  first.on('session', (session) => sessions.push(session))
  await once(first, 'data')
  first.destroy()
  const again = dialTls({ ...options, ...(sessions[0] && { session: sessions[0] }) }).on('error', () => undefined)
  await once(again, 'secureConnect')
  t.notOk(again.isSessionReused())
  again.destroy()
})

t.test('the authorities change while connections stand', async (t) => {
  const desk = await startDesk()
  const next = await newAuthority('next')
  const [before, after] = await Promise.all([clientOf(desk.authority, 'dc_before'), clientOf(next, 'dc_after')])
  let identity = before
  const old = startAgent({ servers: [desk.address] }, desk.authority, before)
  const renewed = startAgent({ servers: [desk.address], identity: () => identity }, desk.authority, before)
  t.teardown(() => Promise.all([desk.server.close(), old.stop(), renewed.stop()]))
  await until(() => desk.server.connections().length === 2, 'both are connected')
  desk.server.setClientCas([desk.authority.cert, next.cert])
  identity = after
  desk.server.drop('dc_before')
  const connected = () =>
    String(
      desk.server
        .connections()
        .map((connection) => connection.datacenterId)
        .sort(),
    )
  // Both authorities count, and the agent came with its new certificate.
  await until(() => connected() === 'dc_after,dc_before', 'both are back')
  desk.server.setClientCas([next.cert])
  t.equal(desk.server.connections().length, 2, 'what stands, stays')
  desk.server.drop('dc_before')
  await until(() => old.state()?.problem !== undefined, 'the old authority counts no longer')
  t.equal(connected(), 'dc_after')
})

t.test('a refusal is told in words, and the agent backs off', async (t) => {
  let asked = 0
  const desk = await startDesk({
    admit: async () => {
      asked += 1
      return { accepted: false, reason: 'another key is bound to this datacenter' }
    },
  })
  const identity = await clientOf(desk.authority, datacenterId)
  const agent = startAgent({ servers: [desk.address] }, desk.authority, identity)
  t.teardown(() => Promise.all([desk.server.close(), agent.stop()]))
  const started = performance.now()
  await until(() => asked >= 3, 'the agent tries again')
  // At least half of 500 ms and of 1,000 ms.
  t.ok(performance.now() - started >= 740, 'not at once')
  t.equal(agent.state()?.problem, 'another key is bound to this datacenter')
  t.same([agent.state()?.connected, desk.server.connections()], [[], []])
})

t.test('another minor is welcome, another major is refused in words', async (t) => {
  const desk = await startDesk()
  t.teardown(() => desk.server.close())
  const dialled = async (id: string, protocol: string) => {
    const agent = startAgent({ servers: [desk.address], protocol }, desk.authority, await clientOf(desk.authority, id))
    await until(() => agent.state() !== undefined, 'the first attempt ended')
    const state = agent.state()
    await agent.stop()
    return state
  }
  t.match(await dialled('dc_newer', '1.9'), { problem: undefined })
  t.match(await dialled('dc_older', '1.0'), { problem: undefined })
  t.match(await dialled('dc_future', '2.0'), { problem: /agent speaks version 2\.0 .* 1\.0: update the older/ })
})

t.test('limits: connections of a datacenter and of all, handshakes under way, the size of a hello', async (t) => {
  const limits = { ...quick, connectionsPerDatacenter: 2, connections: 3, handshakes: 4 }
  const desk = await startDesk({ limits })
  const start = async (id: string, options = {}) =>
    startAgent({ servers: [desk.address], ...options }, desk.authority, await clientOf(desk.authority, id))
  const agents = [await start('dc_a'), await start('dc_a')]
  t.teardown(() => Promise.all([desk.server.close(), ...agents.map((agent) => agent.stop())]))
  await until(() => desk.server.connections().length === 2, 'two are connected')
  const third = await start('dc_a')
  await until(() => third.state()?.problem !== undefined, 'the third is refused')
  t.match(third.state()?.problem, /has 2 connections, and 2 are the most/)
  await third.stop()
  agents.push(await start('dc_b'))
  await until(() => desk.server.connections().length === 3, 'another datacenter has room')
  const last = await start('dc_c')
  await until(() => last.state()?.problem !== undefined, 'there is room for no more')
  t.match(last.state()?.problem, /all the connections it may have/)
  await last.stop()
  const talker = await start('dc_d', { version: 'x'.repeat(5_000) })
  await until(() => talker.state()?.problem !== undefined, 'a hello that long is not read')
  await talker.stop()

  // Silent strangers take the four places, for as long as the handshake may last; a fifth takes that of the first.
  const stranger = async () => {
    const socket = dialTcp(desk.port, '127.0.0.1').on('error', () => undefined)
    await once(socket, 'connect')
    return socket.resume()
  }
  const first = await stranger()
  const others = [await stranger(), await stranger(), await stranger()]
  const started = performance.now()
  await Promise.all([once(first, 'close'), stranger()])
  const turnedAway = performance.now() - started
  await Promise.all(others.map((socket) => new Promise((resolve) => socket.once('close', resolve))))
  t.ok(turnedAway < performance.now() - started, 'the others ended later, by the limit on the handshake')
  t.equal(desk.server.connections().length, 3, 'who was connected stayed so')
})

t.test('strangers who say nothing keep no agent out', async (t) => {
  const desk = await startDesk({ limits: { ...quick, handshakeMs: 60_000, handshakes: 4 } })
  const strangers = Array.from({ length: 12 }, () => dialTcp(desk.port, '127.0.0.1').on('error', () => undefined))
  await Promise.all(strangers.map((socket) => once(socket, 'connect')))
  for (const socket of strangers) socket.resume()
  await until(() => strangers.filter(({ closed }) => closed).length === 8, 'four of them hold the places')
  const agent = startAgent({ servers: [desk.address] }, desk.authority, await clientOf(desk.authority, 'dc_a'))
  t.teardown(() => Promise.all([desk.server.close(), agent.stop()]))
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  for (const socket of strangers) socket.destroy()
})

t.test('a certificate that runs out ends its connection', async (t) => {
  let ahead = 0
  const sweeps: (() => void)[] = []
  const clock = {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    every: (_ms: number, task: () => void) => {
      sweeps.push(task)
      return () => undefined
    },
  }
  const desk = await startDesk({ clock, limits: quick })
  const identity = await clientOf(desk.authority, datacenterId)
  const agent = startAgent({ servers: [desk.address] }, desk.authority, identity)
  t.teardown(() => Promise.all([desk.server.close(), agent.stop()]))
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  const [first] = desk.server.connections()
  for (const sweep of sweeps) sweep()
  t.same(desk.server.connections()[0]?.connectionId, first?.connectionId, 'not before its time')
  ahead = 2 * 24 * 3_600_000
  for (const sweep of sweeps) sweep()
  await until(() => desk.server.connections()[0]?.connectionId !== first?.connectionId, 'it ended')
})

t.test('a peer that falls silent is found by either side, and the agent comes back', async (t) => {
  const desk = await startDesk({ limits: quick })
  const cable = await layCable(desk.port)
  const identity = await clientOf(desk.authority, datacenterId)
  const agent = startAgent({ servers: [cable.address], limits: quick }, desk.authority, identity)
  t.teardown(async () => {
    await Promise.all([desk.server.close(), agent.stop()])
    cable.close()
  })
  const changes: string[] = []
  const forget = desk.server.onChange(({ kind }) => changes.push(kind))
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  const pipe = await desk.server.open(datacenterId)
  const cut = new Promise<Error>((resolve) => void pipe.once('error', resolve))
  const [first] = desk.server.connections()
  const frozen = performance.now()
  cable.freeze()
  t.match(await cut, { reason: 'lost' })
  const found = performance.now() - frozen
  t.ok(found < 20 * (quick.pingMs + quick.pongMs), `found within ${Math.round(found)} ms`)
  await until(() => desk.server.connections()[0]?.connectionId !== first?.connectionId, 'the agent is back')
  await until(() => desk.server.connections().length === 1, 'once')
  t.same(changes.slice(0, 3).sort(), ['down', 'up', 'up'])
  forget()
  cable.cut()
  await until(() => desk.server.connections().length === 1, 'also after the cable was cut')
})

t.test('the newest connection is taken, another when it breaks, and only what was on it is lost', async (t) => {
  const desk = await startDesk({ limits: { ...quick, openMs: 30_000 } })
  const cable = await layCable(desk.port)
  const identity = await clientOf(desk.authority, datacenterId)
  const served: string[] = []
  const start = (name: string, server: string) =>
    startAgent(
      {
        servers: [server],
        limits: quick,
        serve: (pipe) => {
          served.push(name)
          echo(pipe)
        },
      },
      desk.authority,
      identity,
    )
  const older = start('older', desk.address)
  await until(() => desk.server.connections().length === 1, 'the older is connected')
  const onOlder = await desk.server.open(datacenterId)
  const newer = start('newer', cable.address)
  t.teardown(async () => {
    await Promise.all([desk.server.close(), older.stop(), newer.stop()])
    cable.close()
  })
  await until(() => desk.server.connections().length === 2, 'the newer too')
  const onNewer = await desk.server.open(datacenterId)
  t.same(served, ['older', 'newer'])
  const lost = new Promise((resolve) => void onNewer.once('error', resolve))
  cable.freeze()
  // The desk does not know yet: it asks the newer, hears nothing, and asks the older once it does.
  const next = await desk.server.open(datacenterId)
  t.match(await lost, { reason: 'lost' })
  t.equal(served.at(-1), 'older')
  for (const pipe of [onOlder, next]) {
    pipe.write('still')
    t.equal(String((await once(pipe, 'data'))[0]), 'still')
    pipe.destroy()
  }
})

t.test('a drain lets what is under way finish, takes nothing new, and has an end', async (t) => {
  const limits = { ...quick, drainMs: 1_000 }
  const desk = await startDesk({ limits })
  const identity = await clientOf(desk.authority, datacenterId)
  const agent = startAgent({ servers: [desk.address], limits }, desk.authority, identity)
  t.teardown(() => agent.stop())
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  const [finishing, endless] = [await desk.server.open(datacenterId), await desk.server.open(datacenterId)]
  const cut = new Promise((resolve) => void endless.once('error', resolve))
  const started = performance.now()
  const drained = desk.server.drain()
  await t.rejects(desk.server.open(datacenterId), { reason: 'closing', code: 'ECONNREFUSED' })
  finishing.end('the rest')
  const heard: Buffer[] = []
  for await (const chunk of finishing) heard.push(chunk)
  t.equal(String(Buffer.concat(heard)), 'the rest')
  t.match(await cut, { reason: 'lost' })
  t.ok(performance.now() - started >= 950, 'what does not finish has its time')
  await drained
  t.same(desk.server.connections(), [])

  const other = await startDesk({ limits: quick })
  const leaving = startAgent(
    { servers: [other.address], limits: { ...quick, drainMs: 60_000 } },
    other.authority,
    await clientOf(other.authority, datacenterId),
  )
  t.teardown(() => other.server.close())
  await until(() => other.server.connections().length === 1, 'another agent is connected')
  const pipe = await other.server.open(datacenterId)
  const stopped = leaving.stop()
  await until(async () => {
    const error = await other.server.open(datacenterId).catch((failure) => failure)
    return error.reason === 'busy' || error.reason === 'absent'
  }, 'the desk heard that the agent leaves')
  pipe.end('goodbye')
  t.equal(String((await once(pipe, 'data'))[0]), 'goodbye')
  await stopped

  const third = await startDesk({ limits: { ...quick, drainMs: 60_000 } })
  const cable = await layCable(third.port)
  const deserted = startAgent(
    { servers: [cable.address], limits: quick },
    third.authority,
    await clientOf(third.authority, datacenterId),
  )
  t.teardown(async () => {
    await Promise.all([third.server.close(), deserted.stop()])
    cable.close()
  })
  await until(() => third.server.connections().length === 1, 'a third agent is connected')
  const abandoned = await third.server.open(datacenterId)
  abandoned.on('error', () => undefined)
  third.server.drain()
  await until(() => deserted.state()?.connected.length === 0, 'it heard the goodbye')
  cable.freeze()
  await t.resolves(deserted.stop(), 'a desk that dies while it drains holds no agent up')
})

t.test('a desk that restarts finds its agents again', async (t) => {
  const desk = await startDesk({ limits: quick })
  const identity = await clientOf(desk.authority, datacenterId)
  const agent = startAgent({ servers: [desk.address], limits: quick }, desk.authority, identity)
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  await desk.server.close()
  await until(() => agent.state()?.connected.length === 0, 'it is alone')
  const again = await startDesk({ limits: quick }, desk.authority, desk.port)
  t.teardown(() => Promise.all([again.server.close(), agent.stop()]))
  await until(() => again.server.connections().length === 1, 'it is back')
})
