/** Short-lived tokens with stock kubectl: it replaces its own, and a watch goes on until the one behind it is withdrawn. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cli } from '../unit/cli/fake-io.ts'
import { setGatewayStage } from './gateway-stage.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const lifetimeSeconds = 10

t.test('kubectl replaces its token by itself', { skip }, async (t) => {
  const stage = await setGatewayStage(t, 'push', { sites: ['amersfoort'] })
  const { consumer, kit } = stage
  await stage.host(consumer, 'open-zaak', 'amersfoort')
  const home = t.testdir()
  mkdirSync(join(home, 'data'))
  const gateway = { url: stage.url, ca: stage.ca }
  const access = { api: stage.deskUrl, tokens: { consumer: consumer.token }, gateway }
  writeFileSync(join(home, 'data', 'access.json'), JSON.stringify(access))
  const made = await cli(['kubeconfig', '--namespace', 'open-zaak', '--lifetime', String(lifetimeSeconds)], {
    env: { GEMEENTECLOUD_DATA: join(home, 'data') },
  })
  t.notMatch(made.out, consumer.token)
  writeFileSync(join(home, 'config'), made.out)
  const tenant = await stage.tenant(consumer)
  const begin = (...args: string[]) => {
    const running = tenant.begin('--kubeconfig', join(home, 'config'), ...args)
    t.teardown(running.end)
    return running
  }
  const exchanged = async () => {
    const rows = await kit.database.query<{ n: number }>(
      `select count(*) as n from events where type = 'token.exchanged'`,
    )
    return rows[0]?.n ?? 0
  }

  const watching = begin('get', 'configmaps', '--watch', '--output-watch-events', '--no-headers')
  const proxy = begin('proxy', '--port=0')
  const port = await until('kubectl proxy to listen', 60_000, async () => /127\.0\.0\.1:(\d+)/.exec(proxy.said())?.[1])
  const create = async (name: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/namespaces/open-zaak/configmaps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }),
    })
    return response.status
  }
  t.equal(await create('eerste'), 201)
  await until('the watch to see it', 60_000, async () => /ADDED +eerste/.test(watching.said()) || undefined)
  const before = await exchanged()
  const began = kit.clock.monotonic()
  const statuses = new Set<number>()
  // Long enough for the gateway to ask again who watches, and for several tokens to pass.
  await until('half a minute of requests', 120_000, async () => {
    statuses.add(await create(`later-${statuses.size}-${Math.floor(kit.clock.monotonic())}`))
    return kit.clock.monotonic() - began > 45_000 || undefined
  })
  t.same([...statuses], [201], 'none was refused')
  t.ok((await exchanged()) - before >= 3, `${(await exchanged()) - before} new tokens in 45 s`)
  t.equal(await create('laatste'), 201)
  await until('the watch to see the last', 60_000, async () => /ADDED +laatste/.test(watching.said()) || undefined)

  await kit.database.query('delete from tokens where party_id = $1 and parent_id is null', [consumer.id])
  await until('the watch to end', 60_000, async () => watching.isOver() || undefined)
  // By the gateway, or, with the token over, by kubectl, which is given no other.
  t.ok([401, 500].includes(await create('te-laat')), 'nor is anything written')
  t.match(readFileSync(join(home, 'config'), 'utf8'), made.out, 'nothing was kept in the kubeconfig')
})
