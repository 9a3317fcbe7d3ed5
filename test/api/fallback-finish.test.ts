/** Operations to their end: data, health and names after the grant, a person where it does not come, through restarts. */
import t, { type Test } from 'tap'
import { selectMayChange } from '../../services/broker/fallback/operations/finish/store.ts'
import { at, type FallbackStage, fallbackStage, keepSeen } from '../support/fallback-stage.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

const why = { reason: 'onderhoud aan de koeling' }
const read = async (stage: FallbackStage, id: string) => (await stage.api.call('loket', 'GET', `operations/${id}`)).body
const steps = (operation: any): string[] => operation.steps.map((step: any) => step.name)
const noteOf = (operation: any, name: string) => operation.steps.find((step: any) => step.name === name)?.note

/** With namespaces that soon are as they are to be. */
async function stageOf(t: Test): Promise<FallbackStage> {
  const stage = await fallbackStage(t)
  keepSeen(t, stage)
  return stage
}

/** Sent to its standby, where it runs. */
async function moved(stage: FallbackStage, name: string, fallback: object = {}, more: object = {}) {
  const { id, ...hosting } = await stage.host(name, { mode: 'cold', ...fallback }, more)
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(id, from)
  return { id, to, operation: await move(stage, id, to) }
}

async function move(stage: FallbackStage, id: string, to: string): Promise<string> {
  const made = await stage.api.call('loket', 'POST', `hostings/${id}/failovers`, { body: { kind: 'move', ...why } })
  const agreed = { kind: 'agreed', statement: 'afgesproken met beide rekencentra' }
  await stage.api.call('loket', 'POST', `operations/${made.body.id}/confirmations`, { body: agreed })
  await stage.running(id, to)
  await until(async () => steps(await read(stage, made.body.id)).includes('scaled-up'), 'its site to say so')
  return made.body.id
}

t.test(
  'what was copied is told, data comes before health, names last; a leader that dies loses none of it',
  async (t) => {
    const stage = await stageOf(t)
    const { database } = stage.api.kit
    let stop = stage.lead()
    const hosting = await stage.host('met-data', { mode: 'cold' }, { data: [{ kind: 'cnpg', name: 'db' }] })
    const standby = hosting.placements.find(({ role }: { role: string }) => role === 'standby')
    await database.query(
      `insert into mirrors (placement_id, hosting_id, synced_at, objects, differences, data)
     values ($1, $2, now(), 14, '[{"kind": "Secret", "name": "sleutel", "what": "refused"}]', $3)`,
      [standby.id, hosting.id, JSON.stringify([{ kind: 'cnpg', name: 'db', goodAtMs: 0 }])],
    )
    const endpoints = [{ host: 'zaak.voorbeeld.nl', ingress: 'web', ttlSeconds: 60 }]
    await database.query(`update hostings set spec = spec || $2 where id = $1`, [
      hosting.id,
      JSON.stringify({ endpoints }),
    ])
    await stage.running(hosting.id, at(hosting, 'primary') ?? '')
    stage.finishing.promotion = { state: 'waiting', reason: 'Cluster db is being promoted' }
    stage.finishing.readiness = { wanted: 1, waiting: ['Deployment web (0 of 1)'] }
    const id = await move(stage, hosting.id, standby.datacenterId)
    t.match(
      noteOf(await read(stage, id), 'objects-present'),
      /^14 objects, as of 20.*; 1 lacking: Secret sleutel; cnpg db as of 1970/,
    )
    await until(() => stage.finishing.promoted.length >= 2, 'it is promoted')
    t.same(stage.finishing.mightPromote.includes(false), false)
    t.equal(stage.finishing.looks, 0, 'what runs without its data is not looked at')
    t.same(new Set(stage.finishing.promoted), new Set([`${hosting.id} ${id}`]), 'as one order')

    await stop()
    stop = stage.lead()
    stage.finishing.promotion = { state: 'done', reason: null }
    await until(async () => steps(await read(stage, id)).includes('data-promoted'), 'the data')
    t.notOk(steps(await read(stage, id)).includes('healthy'))
    await stop()
    stage.lead()
    const promoted = stage.finishing.promoted.length
    stage.finishing.readiness = { wanted: 1, waiting: [] }
    await until(async () => steps(await read(stage, id)).includes('healthy'), 'health')
    t.ok(stage.finishing.mightWake.length > 0)
    t.same(
      stage.finishing.mightWake.includes(false),
      false,
      'what waits for its data is looked at once that is written',
    )
    const epoch = async () => (await database.query<{ epoch: number }>('select epoch from leader'))[0]?.epoch ?? 0
    t.equal(await selectMayChange(database, await epoch(), id, 'wake'), true)
    t.equal(
      await selectMayChange(database, (await epoch()) - 1, id, 'wake'),
      false,
      'nothing is woken by who leads no more',
    )
    t.equal(stage.finishing.promoted.length, promoted, 'what was promoted is not promoted again')
    t.match(await read(stage, id), { state: 'running', outcome: null })
    await database.query(
      `insert into announcements (hosting_id, datacenter_id, stands, changed_at) values ($1, $2, true, now())`,
      [hosting.id, standby.datacenterId],
    )
    await until(async () => (await read(stage, id)).state === 'done', 'all of it')
    const all = 'confirmed fenced claimed objects-present scaled-up data-promoted healthy traffic-switched done'
    t.same(steps(await read(stage, id)), all.split(' '))
    t.equal(await selectMayChange(database, await epoch(), id, 'wake'), false, 'nor by an operation that is over')
    t.equal(await selectMayChange(database, await epoch(), id, 'promote'), false)
    const told = await database.query<{ step: string }>(
      `select data ->> 'step' as step from events
       where type like 'operation.%' and data ->> 'operationId' = $1 and data ->> 'state' = 'done'`,
      [id],
    )
    t.equal(told.length, 1)
  },
)

t.test('what does not come in the agreed time needs a person, and ends by itself when it comes', async (t) => {
  const stage = await stageOf(t)
  stage.lead()
  stage.finishing.readiness = { wanted: 1, waiting: ['Deployment web (0 of 1)'] }
  const { id, operation } = await moved(stage, 'laat', { rtoSeconds: 3 })
  await until(async () => (await read(stage, operation)).state === 'needs-person', 'it is late')
  await until(async () => (await read(stage, operation)).outcome === 'Deployment web (0 of 1)', 'what it waits for')
  t.match(await stage.show(id), { fallbackStatus: 'failing-over' })
  const told = await stage.api.kit.database.query(`select 1 from events where type = 'operation.needs-person'`)
  t.equal(told.length, 1, 'told once')
  stage.finishing.readiness = { wanted: 1, waiting: [] }
  await until(async () => (await read(stage, operation)).state === 'done', 'it is ready after all')
  t.match(await read(stage, operation), { outcome: null })
})

t.test('who gives up on it leaves the hosting where it is, and may send it back', async (t) => {
  const stage = await stageOf(t)
  stage.lead()
  stage.finishing.promotion = { state: 'failed', reason: 'PersistentVolumeClaim files stands here from before' }
  const data = [{ kind: 'cnpg', name: 'db' }]
  const { id, to, operation } = await moved(stage, 'opgegeven', {}, { data })
  await until(async () => (await read(stage, operation)).state === 'needs-person', 'it cannot be')
  const refused = await stage.api.call('loket', 'POST', `hostings/${id}/failovers`, {
    body: { kind: 'failback', ...why },
  })
  t.equal(refused.status, 409, 'one at a time')
  const { database } = stage.api.kit
  const [leader] = await database.query<{ epoch: number }>('select epoch from leader')
  const mayPromote = () => selectMayChange(database, leader?.epoch ?? 0, operation, 'promote')
  t.equal(await mayPromote(), true, 'it is looked at on and on')
  t.equal(await selectMayChange(database, leader?.epoch ?? 0, operation, 'wake'), false, 'and nothing woken without')
  const aborted = await stage.api.call('loket', 'POST', `operations/${operation}/aborts`, { body: why })
  t.equal(await mayPromote(), false, 'whoever is at it just now')
  t.match(aborted.body, { state: 'aborted', outcome: why.reason })
  t.equal((await stage.row(id))?.holder, to, 'it stays')
  await until(async () => at(await stage.show(id), 'standby') !== undefined, 'the site that it left stands by')
  const again = await stage.api.call('loket', 'POST', `hostings/${id}/failovers`, {
    body: { kind: 'failback', ...why },
  })
  t.equal(again.status, 201)
})

t.test(
  'a site that is lost before all was done is left by an operation of its own, with its data brought back anew',
  async (t) => {
    const stage = await stageOf(t)
    stage.lead()
    stage.finishing.readiness = { wanted: 1, waiting: ['Deployment web (0 of 1)'] }
    const data = [{ kind: 'cnpg', name: 'db' }]
    const { id, to, operation } = await moved(
      stage,
      'tweemaal',
      { activity: 'exclusive', policy: 'automatic' },
      { data },
    )
    await until(async () => steps(await read(stage, operation)).includes('data-promoted'), 'its data is there')
    await until(async () => {
      const [hosting, row] = [await stage.show(id), await stage.row(id)]
      return !row?.nextPeers && row?.peers.members.includes(at(hosting, 'standby') ?? '-') === true
    }, 'another stands by')
    stage.sites.site(to).kill()
    await until(async () => (await stage.row(id))?.holder !== to, 'it goes on')
    t.match(await read(stage, operation), { state: 'aborted', outcome: 'its new site was left before all was done' })
    const { body } = await stage.api.call('loket', 'GET', `operations?hosting=${id}`)
    const [next] = body.items.filter((each: any) => each.id !== operation)
    t.match(next, { trigger: 'automatic', state: 'running' })
    await until(() => stage.finishing.promoted.includes(`${id} ${next.id}`), 'its data is brought back for this one')
  },
)
