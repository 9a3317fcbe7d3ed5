/** What an agent opens for failover while it is the active one, and closes when it is not. */
import { request } from 'node:http'
import t from 'tap'
import { guardPath, readReply, signatureHeader, signed } from '../../../../services/agent/fallback/guard-wire.ts'
import { sharedKey } from '../../../../services/agent/fallback/key.ts'
import { askPeer } from '../../../../services/agent/fallback/peers.ts'
import { serveFallback } from '../../../../services/agent/fallback/serve.ts'
import type { Known } from '../../../../services/agent/join.ts'
import { watchNamespaces } from '../../../../services/agent/namespaces.ts'
import { systemClock } from '../../../../services/shared/clock.ts'
import type { ClusterClient, Manifest } from '../../../../services/shared/kubernetes/index.ts'
import { systemRandom } from '../../../../services/shared/random.ts'
import { freePorts } from '../../../clusters/processes.ts'
import { epoch } from '../../../support/scripted-desk.ts'
import { createTown, log, memoryRecord } from '../../../support/town.ts'
import { clientOf, newAuthority } from '../../../support/tunnel.ts'
import { until } from '../../../support/until.ts'

const kit = { clock: systemClock, random: systemRandom, log }
const host = '127.0.0.1'

function post(port: number, body: string, key: Buffer): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { [signatureHeader]: signed(key, 'ask', body) }
    const call = request({ host, port, method: 'POST', path: guardPath, headers }, async (response) => {
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      resolve({ status: response.statusCode ?? 0, body: text })
    })
    call.on('error', reject).end(body)
  })
}

t.test('guards and peers find the active agent, by a key and a certificate, and nobody once it is not', async (t) => {
  const town = await createTown(t)
  const authority = await newAuthority('desk')
  const knownAs = async (id: string): Promise<Known> => {
    const { cert, key } = await clientOf(authority, id)
    return { certificate: cert, key, authorities: [authority.cert], tunnels: [] }
  }
  const [guardPort = 0, peerPort = 0] = await freePorts(2)
  const applied: Manifest[] = []
  const client: ClusterClient = {
    ...town.client,
    // The sandbox serves no EndpointSlices.
    apply: async (object, options) => {
      if (object.kind !== 'EndpointSlice') return town.client.apply(object, options)
      applied.push(object)
      return { ...object, metadata: {} }
    },
  }
  const term = new AbortController()
  const identity = { datacenter: 'dc_a', profile: { leaseMs: 6_000, renewMs: 2_000, stopMs: 4_000, drift: 0.01 } }
  const store = memoryRecord()
  await store.write({ incarnation: 1, records: [], identity, term: 1, peers: { dc_b: 'b.test:1' }, nodes: [] }, '0')
  const known = await knownAs('dc_a')
  const published = { namespace: 'default', service: 'agent-peers', address: '10.0.0.7', port: peerPort }
  const fallback = serveFallback(
    {
      ...kit,
      client,
      namespaces: watchNamespaces(client, log, term.signal),
      known: () => known,
      whenKnown: (use) => {
        use(known)
        return () => undefined
      },
      setup: {
        store: () => store,
        guards: { host, port: guardPort, key: (its) => sharedKey(its, 'default', 'agent-guard', systemRandom) },
        peers: { host, port: peerPort, address: 'agent.test:443', published },
      },
    },
    term.signal,
  )
  t.teardown(() => term.abort())

  const ask = JSON.stringify({ kind: 'ask', node: 'node-a', seq: 1, agent: 0, present: [] })
  const key = () => sharedKey(client, 'default', 'agent-guard', systemRandom)
  let seq = 1
  await until(async () => {
    const body = ask.replace('"seq":1', `"seq":${seq++}`)
    const answer = await post(guardPort, body, await key()).catch(() => undefined)
    return answer?.status === 200 && readReply(answer.body)?.stopMs === 4_000
  }, 'a guard to be answered')
  t.same(await key(), await key(), 'one key for all')
  t.equal((await key()).length, 32)

  const hold = { kind: 'hold', hosting: 'h_1', epoch: epoch(1), incarnation: 1, seq: 1 } as const
  const peer = { id: 'dc_a', address: `${host}:${peerPort}` }
  t.match(await askPeer(peer, hold, await knownAs('dc_b'), systemClock), { kind: 'promised' })
  t.match(applied, [
    {
      metadata: { name: 'agent-peers', labels: { 'kubernetes.io/service-name': 'agent-peers' } },
      addressType: 'IPv4',
      ports: [{ port: peerPort }],
      endpoints: [{ addresses: ['10.0.0.7'] }],
    },
  ])

  term.abort('another is active')
  await fallback.done
  await t.rejects(post(guardPort, ask, await key()), { code: 'ECONNREFUSED' })
  await t.rejects(askPeer(peer, hold, await knownAs('dc_b'), systemClock))
})
