/** The desk: a first lease, a failover of what is exclusive, and that what is pinned stays. */
import t from 'tap'
import { selectPlacements } from '../../services/broker/clusters/store.ts'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { at, fallbackStage, quickWaitMs } from '../support/fallback-stage.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(120_000)

const automatic = { mode: 'cold', activity: 'exclusive', policy: 'automatic' }

t.test('a hosting starts where it was placed once its site was granted it', async (t) => {
  const stage = await fallbackStage(t)
  const stop = stage.api.schedule()
  const hosting = await stage.host('eerste')
  await stop()
  t.equal(await stage.row(hosting.id), undefined, 'nobody leads, so nothing is granted')
  const primary = at(hosting, 'primary') ?? ''
  const podsThere = async () =>
    (await selectPlacements(stage.api.kit.database, primary)).map(({ running }) => running.pods)
  t.same(await podsThere(), [undefined], 'so no pod may start')
  stage.lead()
  await stage.running(hosting.id, primary)
  t.same(await podsThere(), [2], 'its pods may run')
  const row = await stage.row(hosting.id)
  t.match(row, { holder: primary, activity: 'pinned', policy: 'confirm', epoch: { generation: 1 } })
  t.same(row?.peers.members, [at(hosting, 'standby')])
  t.match(stage.sites.site(primary).hello(), { datacenter: primary, self: { level: 2 } })
})

t.test('what has never run waits for the site where it was placed, and does not begin at its standby', async (t) => {
  const stage = await fallbackStage(t)
  const stop = stage.api.schedule()
  const hosting = await stage.host('later')
  await stop()
  const primary = at(hosting, 'primary') ?? ''
  stage.sites.site(primary).setFull(true)
  stage.lead()
  await until(async () => ((await stage.row(hosting.id))?.highest.counter ?? 0) >= 3, 'it to be offered anew')
  t.match(await stage.row(hosting.id), { holder: primary, epoch: { counter: 0 } })
  t.equal((await stage.row(hosting.id))?.saga, undefined, 'a first start is no failover')
  stage.sites.site(primary).setFull(false)
  await stage.running(hosting.id, primary)
  t.equal(at(await stage.show(hosting.id), 'standby'), at(hosting, 'standby'))
})

t.test('a lost site: what is exclusive goes to the standby after X and not before, what is pinned stays', async (t) => {
  const stage = await fallbackStage(t)
  stage.lead()
  const [moves, stays] = [await stage.host('exclusief', automatic), await stage.host('vast')]
  const [from, to] = [at(moves, 'primary') ?? '', at(moves, 'standby') ?? '']
  await stage.running(moves.id, from)
  await stage.running(stays.id, at(stays, 'primary') ?? '')
  const site = stage.sites.site(from)
  site.cut()
  const lastAt = site.renewedAt()
  await stage.running(moves.id, to)
  t.ok(performance.now() - lastAt >= quickWaitMs, 'not before everybody could be sure')
  t.same(stage.sites.doubles, [])
  t.notOk(site.runs.has(moves.id), 'it has stopped itself')
  const [begun] = (await stage.api.call('loket', 'GET', `operations?hosting=${moves.id}`)).body.items
  const slug = Object.entries(stage.datacenters).find(([, id]) => id === to)?.[0]
  t.match(begun, { trigger: 'automatic', plan: { from, to }, to: slug }, 'where it went, which nobody had chosen')
  t.equal(begun.steps.find(({ name }: { name: string }) => name === 'claimed').note, slug)
  if (at(stays, 'primary') === from) t.ok(site.runs.has(stays.id), 'what is pinned runs on')

  const shown = await stage.show(moves.id)
  t.equal(at(shown, 'primary'), to)
  t.equal(at(shown, 'former'), from, 'its claim stands until nothing is left there')
  t.equal(at(shown, 'standby'), undefined)
  t.match(shown, { fallbackStatus: /^(failing-over|failed-over)$/, fallbackReasons: ['no-standby'] })
  const { database } = stage.api.kit
  t.same(await selectOverbooked(database, Object.values(stage.datacenters), new Date()), [])
  t.same(await miscounted(database), [])
  const isLost = async () =>
    (await database.query('select 1 from datacenters where id = $1 and lost_since is not null', [from])).length === 1
  await until(isLost, 'it is said to be lost')

  site.mend()
  await until(async () => at(await stage.show(moves.id), 'standby') === from, 'the old site stands by')
  t.same(await miscounted(database), [])
  await until(async () => (await stage.row(moves.id))?.peers.members[0] === from, 'it is the peer of the new holder')
  await until(async () => !(await isLost()), 'it is lost no more')
})
