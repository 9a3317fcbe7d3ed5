/** What people decide about where a hosting is: moves, proof, four eyes, one operation at a time, drains, the brake. */
import t, { type Test } from 'tap'
import { at, colleague, type FallbackStage, fallbackStage, keepSeen, quickWaitMs } from '../support/fallback-stage.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

const why = { reason: 'onderhoud aan de koeling' }
const agreed = { kind: 'agreed', statement: 'afgesproken met de beheerder' }
const attested = { kind: 'attested', statement: 'ter plaatse gezien: alles staat uit' }

const plan = (stage: FallbackStage, id: string, body: object = why) =>
  stage.api.call('consumer', 'POST', `hostings/${id}/failovers`, { body })
const confirm = (stage: FallbackStage, id: string, body: object, as: any = 'loket') =>
  stage.api.call(as, 'POST', `operations/${id}/confirmations`, { body })
const read = async (stage: FallbackStage, id: string) => (await stage.api.call('loket', 'GET', `operations/${id}`)).body
const steps = ({ steps: taken }: any) => taken.map(({ name }: { name: string }) => name)

/** Silent for so long that the desk has given it up. */
async function unreachable(stage: FallbackStage, id: string) {
  stage.sites.site(id).cut()
  const { database } = stage.api.kit
  await database.query(`update datacenters set contact = 'unreachable' where id = $1`, [id])
  const lost = 'select 1 from datacenters where id = $1 and lost_since is not null'
  await until(async () => (await database.query(lost, [id])).length === 1, 'it is lost')
}

async function sound(t: Test, stage: FallbackStage) {
  t.same(stage.sites.doubles, [])
  t.same(await miscounted(stage.api.kit.database), [])
}

t.test('a move stops it first; the second operation is told of the first; and back', async (t) => {
  const stage = await fallbackStage(t)
  stage.lead()
  const { id, ...hosting } = await stage.host('verhuist')
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(id, from)
  const made = await plan(stage, id, { kind: 'move', ...why })
  t.match(made.body, { state: 'awaiting-confirmation', plan: { from, to, method: 'stop', confirmationsNeeded: 1 } })
  const second = await plan(stage, id)
  t.equal(second.status, 409)
  t.match(second.body.detail, made.body.id, 'it names the first')
  t.equal((await confirm(stage, made.body.id, agreed, 'consumer')).status, 403, 'who owns it does not confirm it')
  const confirmed = await confirm(stage, made.body.id, agreed)
  t.match(confirmed.body, { state: 'running', confirmations: [{ kind: 'agreed' }] })
  t.equal((await confirm(stage, made.body.id, agreed)).status, 409, 'once is enough')
  await stage.running(id, to)
  const scaledUp = async () => steps(await read(stage, made.body.id)).includes('scaled-up')
  await until(scaledUp, 'its site to say so')
  await stage.api.kit.database.query(`update placements set observed = 'ready' where wanted = 'present'`)
  stage.finishing.readiness = { wanted: 2, waiting: ['Deployment web (0 of 2)'] }
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  t.equal(stage.finishing.looks, 0, 'what was seen of it as a standby says nothing of it now')
  await stage.seen()
  await until(() => stage.finishing.looks >= 2, 'it is looked at')
  t.notOk(
    steps(await read(stage, made.body.id)).includes('healthy'),
    'nor does its namespace, before what runs is ready',
  )
  stage.finishing.readiness = { wanted: 2, waiting: [] }
  await until(async () => (await read(stage, made.body.id)).state === 'done', 'the move is done')
  const done = await read(stage, made.body.id)
  t.same(steps(done), ['confirmed', 'fenced', 'claimed', 'scaled-up', 'healthy', 'done'])
  t.match(done.steps[1], { note: 'stopped' })
  const slug = Object.entries(stage.datacenters).find(([, each]) => each === to)?.[0]
  t.match(done.steps.slice(2, 4), [{ note: slug }, { note: slug }], 'people know a datacenter by its name')
  await until(async () => at(await stage.show(id), 'standby') === from, 'the site that it left stands by')
  await sound(t, stage)

  const back = await plan(stage, id, { kind: 'failback', ...why })
  await confirm(stage, back.body.id, agreed)
  await stage.running(id, from)
  await until(async () => {
    await stage.seen()
    return (await read(stage, back.body.id)).state === 'done'
  }, 'it is back')
  await sound(t, stage)
})

t.test('what is pinned at a silent site moves on the word of two people, and not on less', async (t) => {
  const stage = await fallbackStage(t)
  stage.lead()
  const { id, ...hosting } = await stage.host('vast')
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(id, from)
  stage.sites.site(from).kill()
  await unreachable(stage, from)
  const made = await plan(stage, id)
  t.match(made.body.plan, { method: 'proof', confirmationsNeeded: 2 })
  t.equal((await confirm(stage, made.body.id, agreed)).status, 400, 'to agree proves nothing')
  t.match((await confirm(stage, made.body.id, attested)).body, { state: 'awaiting-confirmation' })
  const again = await confirm(stage, made.body.id, attested)
  t.match([again.status, again.body.detail], [409, /^The same person/])
  const row = await stage.row(id)
  t.match(row, { holder: from, over: undefined }, 'nothing has moved')
  t.match((await confirm(stage, made.body.id, attested, await colleague(stage))).body, { state: 'running' })
  await stage.running(id, to)
  await stage.seen()
  await until(async () => (await read(stage, made.body.id)).state === 'done', 'the failover is done')
  t.match((await read(stage, made.body.id)).steps, [{ name: 'confirmed' }, { name: 'fenced', note: 'attested' }])
  await sound(t, stage)
})

t.test('exclusive with confirm waits for a person, and four eyes for two', async (t) => {
  const stage = await fallbackStage(t)
  stage.lead()
  const { id, ...hosting } = await stage.host('gevraagd', { mode: 'cold', activity: 'exclusive', fourEyes: true })
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(id, from)
  await unreachable(stage, from)
  const made = await plan(stage, id)
  t.match(made.body.plan, { method: 'wait', confirmationsNeeded: 2 })
  await confirm(stage, made.body.id, agreed)
  await until(() => !stage.sites.site(from).runs.has(id), 'it has stopped itself')
  await new Promise((resolve) => setTimeout(resolve, 1.5 * quickWaitMs))
  t.equal((await stage.row(id))?.holder, from, 'one is not enough')
  await confirm(stage, made.body.id, agreed, await colleague(stage))
  await stage.running(id, to)
  await sound(t, stage)
})

t.test('a plan is called off before it begins, and lapses by itself', async (t) => {
  const stage = await fallbackStage(t)
  stage.lead()
  const { id, ...hosting } = await stage.host('afgeblazen')
  await stage.running(id, at(hosting, 'primary') ?? '')
  const made = await plan(stage, id)
  const aborted = await stage.api.call('consumer', 'POST', `operations/${made.body.id}/aborts`, { body: why })
  t.match(aborted.body, { state: 'aborted', outcome: why.reason })
  t.equal((await confirm(stage, made.body.id, agreed)).status, 409)
  const lapsing = await plan(stage, id)
  await stage.api.kit.database.query(`update operations set expires_at = now() where id = $1`, [lapsing.body.id])
  t.equal((await confirm(stage, lapsing.body.id, agreed)).status, 409, 'too old')
  await until(async () => (await read(stage, lapsing.body.id)).state === 'aborted', 'it has lapsed')
  const listed = await stage.api.call('consumer', 'GET', `operations?hosting=${id}&state=aborted`)
  t.equal(listed.body.items.length, 2)
})

t.test('two datacenters lost at once: nothing moves until a person says that they are', async (t) => {
  const names = ['noord', 'oost', 'zuid', 'west']
  const stage = await fallbackStage(t, { names })
  stage.lead()
  const hosted = await Promise.all(
    names.map((name) => stage.host(`rem-${name}`, { mode: 'cold', activity: 'exclusive', policy: 'automatic' })),
  )
  for (const { id, ...hosting } of hosted) await stage.running(id, at(hosting, 'primary') ?? '')
  const first = hosted[0]
  const [from, to] = [at(first, 'primary') ?? '', at(first, 'standby') ?? '']
  const other = Object.values(stage.datacenters).find((id) => id !== from && id !== to) ?? ''
  stage.sites.site(from).cut()
  stage.sites.site(other).cut()
  const { database } = stage.api.kit
  await until(
    async () => (await database.query('select 1 from datacenters where lost_since is not null')).length === 2,
    'both are lost',
  )
  await new Promise((resolve) => setTimeout(resolve, quickWaitMs))
  t.equal((await stage.row(first.id))?.holder, from, 'it is held back')
  const body = { datacenterIds: [from, other], statement: 'de stroom is er echt af, gezien' }
  t.equal((await stage.api.call('loket', 'POST', 'brake-releases', { body })).status, 200)
  await stage.running(first.id, to)
  await sound(t, stage)
})

t.test('a look that comes late does not take a move that has been made for one that cannot be', async (t) => {
  const stage = await fallbackStage(t)
  const { database } = stage.api.kit
  let isLate = false
  const slow: typeof database = {
    ...database,
    query: (async (text, values) => {
      const rows = await database.query<any>(text, values)
      const [waits] = /and not o\.forwarded/.test(text) ? rows : []
      const isBegun = async () => (await stage.row(waits.hosting_id))?.saga !== undefined
      if (waits !== undefined && (await isBegun())) {
        isLate = true
        await until(async () => !(await isBegun()), 'it runs elsewhere')
      }
      return rows
    }) as typeof database.query,
  }
  stage.lead(slow)
  const { id, ...hosting } = await stage.host('vlot')
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(id, from)
  const made = await plan(stage, id, { kind: 'move', ...why })
  t.equal((await confirm(stage, made.body.id, agreed)).status, 200)
  await stage.running(id, to)
  keepSeen(t, stage)
  await until(async () => ['done', 'aborted'].includes((await read(stage, made.body.id)).state), 'it has ended')
  t.match(await read(stage, made.body.id), { state: 'done', outcome: null }, `a look was late: ${isLate}`)
  await sound(t, stage)
})

t.test('a drain moves all that can, and says what stays', async (t) => {
  const stage = await fallbackStage(t, { names: ['noord', 'oost', 'zuid'] })
  stage.lead()
  const hosted = [
    ...(await Promise.all([1, 2, 3].map((n) => stage.host(`leeg-${n}`)))),
    await stage.host('alleen', { mode: 'none' }),
  ]
  for (const { id, ...hosting } of hosted) await stage.running(id, at(hosting, 'primary') ?? '')
  const there = at(hosted[3], 'primary') ?? ''
  const drained = await stage.api.call('provider', 'POST', `datacenters/${there}/drains`, { body: why })
  t.equal(drained.status, 202)
  t.same(
    drained.body.left.map(({ hosting }: any) => hosting),
    ['alleen'],
  )
  const leaving = hosted.filter((hosting) => at(hosting, 'primary') === there && hosting.name !== 'alleen')
  t.equal(drained.body.operations.length, leaving.length)
  for (const { id, ...hosting } of leaving) await stage.running(id, at(hosting, 'standby') ?? '')
  await sound(t, stage)
})
