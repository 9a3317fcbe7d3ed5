/** Sites ask each other when the desk is silent: a promise keeps a hosting running, and only a peer is given one. */
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import {
  askPeer,
  createPeerServer,
  type Hold,
  type PeerServerOptions,
} from '../../../../services/agent/fallback/peers.ts'
import type { Known } from '../../../../services/agent/join.ts'
import { systemClock } from '../../../../services/shared/clock.ts'
import type { Identity } from '../../../../services/shared/x509.ts'
import { epoch, type ScriptedDesk } from '../../../support/scripted-desk.ts'
import { createTown, memoryRecord, startAgent } from '../../../support/town.ts'
import { clientOf, newAuthority } from '../../../support/tunnel.ts'
import { until } from '../../../support/until.ts'

/** A promise has a third of a renewal to come. */
const profile = { leaseMs: 4_500, renewMs: 1_500, stopMs: 2_000, drift: 0.01 }
const day = 24 * 3_600_000

async function knownAs(authority: Identity, id: string, within?: { from: number; until: number }): Promise<Known> {
  const { cert, key } = await clientOf(authority, id, within)
  return { certificate: cert, key, authorities: [authority.cert], tunnels: [] }
}

async function serve(t: Test, known: Known, options: PeerServerOptions) {
  const { server, renew } = createPeerServer(known, options)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, renew }
}

const hold: Hold = { kind: 'hold', hosting: 'h_1', epoch: epoch(1), incarnation: 1, seq: 7 }

t.setTimeout(80_000)

t.test('a peer is who its certificate names, of an authority that both know', async (t) => {
  const authority = await newAuthority('desk')
  const asked: string[] = []
  const promise = async (from: string, { kind: _kind, ...about }: Hold) => {
    asked.push(from)
    return { kind: 'promised', ...about } as const
  }
  const b = await serve(t, await knownAs(authority, 'dc_b'), { isPeer: (id) => id === 'dc_a', answer: promise })
  const ask = (known: Known, id = 'dc_b') => askPeer({ id, address: b.address }, hold, known, systemClock)
  const a = await knownAs(authority, 'dc_a')
  t.same(await ask(a), { ...hold, kind: 'promised' })
  t.same(asked, ['dc_a'])

  await t.rejects(ask(await knownAs(authority, 'dc_c')), /403/, 'no peer of it')
  await t.rejects(ask(a, 'dc_d'), /another datacenter/, 'it is not whom we meant to ask')
  const other = await newAuthority('desk')
  await t.rejects(ask({ ...(await knownAs(other, 'dc_a')), authorities: [authority.cert] }), 'a stranger with its name')
  await t.rejects(ask({ ...a, authorities: [other.cert] }), /authority that is not known/, 'a stranger that answers')
  t.same(asked, ['dc_a'], 'none of these was heard')

  const past = await knownAs(authority, 'dc_b', { from: systemClock.now() - 2 * day, until: systemClock.now() - day })
  b.renew(past)
  await t.rejects(ask(a), /run out/)
  b.renew(await knownAs(authority, 'dc_b'))
  t.match(await ask(a), { kind: 'promised' }, 'by the certificate that it has now')
})

const running = (town: Awaited<ReturnType<typeof createTown>>) =>
  until(() => {
    const space = town.cluster.store.get('Namespace', undefined, 'zaken')
    return space?.metadata.annotations?.['gemeentecloud.nl/active-epoch'] === '1.1'
  }, 'it to run')
const renewals = ({ said }: ScriptedDesk) => said.filter(({ kind }) => kind === 'renew').length

t.test(
  'while no desk answers, a hosting runs on by the promise of its peer, and stops when that is away too',
  async (t) => {
    const authority = await newAuthority('desk')
    const [knownA, knownB] = await Promise.all([knownAs(authority, 'dc_a'), knownAs(authority, 'dc_b')])
    const [townA, townB] = await Promise.all([createTown(t), createTown(t)])
    await townA.settle('h_1', 'zaken')
    const kept = memoryRecord()
    const b = await startAgent(t, townB, kept, { known: () => knownB })
    const away = { isAway: false }
    const { address } = await serve(t, knownB, {
      isPeer: b.fallback.isPeer,
      answer: (from, message) =>
        away.isAway ? Promise.reject(new Error('away')) : b.fallback.answerPeer(from, message),
    })
    b.meet({ datacenter: 'dc_b', profile, peers: { dc_a: '127.0.0.1:1' } })
    const a = await startAgent(t, townA, memoryRecord(), { known: () => knownA })
    const desk = a.meet({ profile, peers: { dc_b: address } })
    desk.grant('h_1', 1)
    await running(townA)
    desk.answers = false
    const before = renewals(desk)
    await until(() => renewals(desk) > before + 10, 'three leases to pass')
    t.equal(townA.pods('zaken'), 2)
    t.match(kept.kept()?.records, [{ hosting: 'h_1', promised: true, seen: epoch(1) }])

    away.isAway = true
    await until(() => townA.pods('zaken') === 0, 'it to be stopped')
  },
)
