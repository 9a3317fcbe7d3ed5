/** A change of authority: a connected agent renews onto the new one, no stream is lost, and the former goes in the end. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Agent, keepInFile, kubeconfigAccess, startAgent } from '../../services/agent/index.ts'
import { type Clock, systemClock } from '../../services/shared/clock.ts'
import { temporaryFolder } from '../support/folder.ts'
import { setGatewayStage } from './gateway-stage.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 120_000
const hourMs = 3_600_000
const maps = '/api/v1/namespaces/open-zaak/configmaps'

/** Real time, in which hours of waiting are over when the test says so. */
function hurried(): Clock & { pass(): void } {
  let passed = new AbortController()
  return {
    ...systemClock,
    sleep(ms, signal) {
      if (ms < hourMs) return systemClock.sleep(ms, signal)
      const either = AbortSignal.any([passed.signal, ...(signal ? [signal] : [])])
      return systemClock.sleep(ms, either).catch((reason) => {
        if (signal?.aborted) throw reason
      })
    },
    pass() {
      passed.abort('passed')
      passed = new AbortController()
    },
  }
}

t.test('the authority of agents changes', { skip }, async (t) => {
  const folder = temporaryFolder('agent-authority')
  t.teardown(folder.remove)
  const file = join(folder.path, 'agent.json')
  const clock = hurried()
  let agent: Agent | undefined
  t.teardown(() => agent?.stop())
  let start = async () => {}
  const stage = await setGatewayStage(t, 'agent', {
    sites: ['amersfoort'],
    agent: async (_site, joinToken, cluster, { kit, url }) => {
      start = async () => {
        const access = kubeconfigAccess(cluster.kubeconfigOf('broker'))
        const options = { ...kit, clock, desk: url, version: '0.0.0', joinToken, access, drainMs: 100 }
        agent = await startAgent({ ...options, keep: keepInFile(file) })
      }
      await start()
    },
  })
  const one = await stage.tenant(stage.consumer)
  await stage.host(one, 'open-zaak', 'amersfoort')
  const kept = () => JSON.parse(readFileSync(file, 'utf8')) as { certificate: string; authorities: string[] }
  const former = kept()
  const write = async (name: string) =>
    (await one.call('POST', maps, { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } } })).status
  const watching = one.watch(`${maps}?watch=true`)
  t.teardown(watching.stop)
  let ended = false
  watching.ended.then(() => {
    ended = true
  })
  const seen = (name: string) =>
    until(`${name} to be seen`, patience, () =>
      watching.events.some(({ object }) => object.metadata.name === name) ? true : undefined,
    )
  t.equal(await write('before'), 201)
  await seen('before')

  const { certificate: authority } = await stage.loket.post('agents/authorities')
  const isOfNew = (certificate: string) =>
    new X509Certificate(certificate).verify(new X509Certificate(authority).publicKey)
  t.notOk(isOfNew(kept().certificate))
  clock.pass()
  await until('the agent to have renewed', patience, () => isOfNew(kept().certificate) || undefined)
  t.same(kept().authorities, [...former.authorities, authority], 'both are trusted')
  t.equal(await write('after'), 201)
  await seen('after')
  t.notOk(ended, 'the stream from before goes on')

  // Connected anew, with the new certificate, while the desk still shows one of the former.
  await agent?.stop()
  await start()
  await until('it to be served', patience, async () =>
    (await one.call('GET', maps)).status === 200 ? true : undefined,
  )

  // 120 days later.
  await stage.kit.database.query(
    `update authorities set retires_at = now() - interval '1 second' where retires_at is not null`,
  )
  stage.kit.database.hint('agents')
  await agent?.stop()
  await start()
  await until('it to know only the new one', patience, () => kept().authorities.length === 1 || undefined)
  t.same(kept().authorities, [authority])
  await agent?.stop()
  await start()
  await until('it to be served by that alone', patience, async () =>
    (await one.call('GET', maps)).status === 200 ? true : undefined,
  )
  t.equal(await write('later'), 201)
})
