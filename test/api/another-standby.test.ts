/** A datacenter that stays away is not waited for for ever: another stands by, and what it promises holds. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { selectOverbooked } from '../../services/broker/scheduling/store.ts'
import { at, type FallbackStage, fallbackStage, keepSeen } from '../support/fallback-stage.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

const automatic = { mode: 'cold', activity: 'exclusive', policy: 'automatic' }

/** With namespaces that soon are as they are to be. */
async function stageOf(t: Test, ...names: string[]): Promise<FallbackStage> {
  const stage = await fallbackStage(t, { names, seekAfterMs: 2_000 })
  keepSeen(t, stage)
  stage.lead()
  return stage
}

async function sound(t: Test, stage: FallbackStage) {
  const { database } = stage.api.kit
  t.same(stage.sites.doubles, [])
  t.same(await miscounted(database), [])
  t.same(await selectOverbooked(database, Object.values(stage.datacenters), new Date()), [])
}

const sought = async ({ api }: FallbackStage) =>
  (await api.kit.database.query(`select 1 from events where type = 'hosting.standby-sought'`)).length

t.test('after a failover the old site stays away: a third stands by, and takes over when it has to', async (t) => {
  const stage = await stageOf(t, 'noord', 'oost', 'zuid')
  const { id, ...hosting } = await stage.host('blijft', automatic)
  const [first, second] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  const third = Object.values(stage.datacenters).find((one) => one !== first && one !== second) ?? ''
  await stage.running(id, first)
  stage.sites.site(first).kill()
  await stage.running(id, second)
  await until(async () => at(await stage.show(id), 'standby') === third, 'the third stands by')
  t.match(await stage.show(id), { fallbackStatus: /^fail/, fallbackReasons: [] })
  t.equal(at(await stage.show(id), 'former'), first, 'nobody knows what is left there')
  t.equal(await sought(stage), 1)
  await sound(t, stage)

  await until(async () => (await stage.row(id))?.peers.members[0] === third, 'it is the peer of the holder')
  stage.sites.site(first).mend()
  const { database } = stage.api.kit
  const placed = `select 1 from placements where hosting_id = $1 and datacenter_id = $2 and wanted = 'present'`
  await until(async () => (await database.query(placed, [id, first])).length === 0, 'the first is let go')
  t.equal(at(await stage.show(id), 'standby'), third, 'and is not needed any more')
  const lost = `select 1 from datacenters where lost_since is not null`
  await until(async () => (await database.query(lost)).length === 0, 'nobody is lost')
  stage.sites.site(second).kill()
  await stage.running(id, third)
  await sound(t, stage)
})

t.test('the standby is lost for long: another one stands by, beside what runs on', async (t) => {
  const stage = await stageOf(t, 'noord', 'oost', 'zuid')
  const { id, ...hosting } = await stage.host('loopt', { mode: 'cold' })
  const [primary, standby] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(id, primary)
  stage.sites.site(standby).kill()
  await until(async () => ![standby, undefined].includes(at(await stage.show(id), 'standby')), 'another one stands by')
  t.equal(at(await stage.show(id), 'primary'), primary)
  t.match(await stage.show(id), { fallbackStatus: 'ready' })
  t.ok(stage.sites.site(primary).runs.has(id))
  await sound(t, stage)
})

t.test('where no other fits nothing is done, and it is said that there is none', async (t) => {
  const stage = await stageOf(t, 'noord', 'oost')
  const { id, ...hosting } = await stage.host('alleen', automatic)
  const [first, second] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(id, first)
  stage.sites.site(first).kill()
  await stage.running(id, second)
  await until(async () => (await stage.show(id)).fallbackStatus === 'failed-over', 'it is there')
  await sleep(5_000)
  t.match(await stage.show(id), { fallbackReasons: ['no-standby'] })
  t.equal(await sought(stage), 0)
  stage.sites.site(first).mend()
  await until(async () => at(await stage.show(id), 'standby') === first, 'the one that came back stands by')
  await sound(t, stage)
})
