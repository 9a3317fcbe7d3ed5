/** The desk ends between any two commits, or does not know whether one was made: the same end, and never twice. */
import t, { type Test } from 'tap'
import { commitRows } from '../../services/broker/fallback/commit.ts'
import { Deposed, selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { at, type FallbackStage, fallbackStage } from '../support/fallback-stage.ts'
import { faultyDatabase } from '../support/faulty-database.ts'
import { miscounted } from '../support/miscounted.ts'
import { storeDigest } from '../support/store-digest.ts'
import { until } from '../support/until.ts'

t.setTimeout(600_000)

const automatic = { mode: 'cold', activity: 'exclusive', policy: 'automatic' }
const none = { ended: () => undefined, unread: () => undefined, braked: () => undefined }

async function sound(t: Test, stage: FallbackStage) {
  const { database } = stage.api.kit
  t.same(stage.sites.doubles, [])
  t.same(await miscounted(database), [])
  t.same(await selectOverbooked(database, Object.values(stage.datacenters), new Date()), [])
}

/** A failover and the return of the site, to where nothing changes any more. */
async function thereAndBack(stage: FallbackStage, { id, ...hosting }: any) {
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  const site = stage.sites.site(from)
  site.cut()
  await stage.running(id, to)
  site.mend()
  await until(async () => at(await stage.show(id), 'standby') === from, 'the old site stands by')
  await until(async () => {
    const row = await stage.row(id)
    return row?.peers.members[0] === from && row.saga === undefined && row.nextPeers === undefined
  }, 'all is settled')
}

t.test('whichever commit goes wrong, made or not, the end is the same', async (t) => {
  for (const made of [false, true]) {
    for (let commit = 1; commit <= 6; commit++) {
      await t.test(`commit ${commit} is ${made ? 'made and not heard of' : 'not made'}`, async (t) => {
        const stage = await fallbackStage(t)
        const database = faultyDatabase(stage.api.kit.database)
        stage.lead(database)
        const hosting = await stage.host('breekt', automatic)
        await stage.running(hosting.id, at(hosting, 'primary') ?? '')
        await until(async () => (await stage.row(hosting.id))?.saga === undefined, 'it is settled')
        database.arm(commit, made)
        await thereAndBack(stage, hosting)
        t.ok(database.count() >= Math.min(commit, 4), `${database.count()} commits`)
        t.equal((await stage.row(hosting.id))?.holder, at(hosting, 'standby'))
        const operations = await stage.api.call('loket', 'GET', `operations?hosting=${hosting.id}`)
        t.equal(operations.body.items.length, 1, 'one operation')
        await sound(t, stage)
      })
    }
  }
})

t.test('a desk that was deposed commits nothing', async (t) => {
  const stage = await fallbackStage(t)
  const stop = stage.lead()
  const hosting = await stage.host('afgezet', automatic)
  await stage.running(hosting.id, at(hosting, 'primary') ?? '')
  await stop()
  const { kit } = stage.api
  const row = await stage.row(hosting.id)
  if (!row) return t.fail('there is a row')
  const before = await storeDigest(kit.database)
  const context = { kit, epoch: 0, metrics: none, committed: new Map([[row.hosting, row]]) }
  const granted = { ...row, holder: at(hosting, 'standby') ?? '', epoch: { generation: 1, counter: 9 } }
  await t.rejects(commitRows(context, [{ row: granted }]), Deposed)
  t.same(await storeDigest(kit.database), before)
})

t.test('a proof that was called off between the look and the commit is none', async (t) => {
  const stage = await fallbackStage(t)
  const stop = stage.lead()
  const hosting = await stage.host('bewezen')
  await stage.running(hosting.id, at(hosting, 'primary') ?? '')
  await stop()
  const { kit } = stage.api
  const row = await stage.row(hosting.id)
  if (!row) return t.fail('there is a row')
  const before = await storeDigest(kit.database)
  const [{ epoch = 0 } = {}] = await kit.database.query<{ epoch: number }>('select epoch from leader')
  const context = { kit, epoch, metrics: none, committed: new Map([[row.hosting, row]]) }
  await t.rejects(commitRows(context, [{ row: { ...row, over: 'attested' } }]), /called off meanwhile/)
  t.same(await storeDigest(kit.database), before)
})
