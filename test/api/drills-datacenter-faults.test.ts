/** Drills of a datacenter whose leader is broken off, or is not alone: each hosting is drilled once, and nothing is left. */
import t, { type Test } from 'tap'
import { faultyWrites, heldWrites } from '../support/drill-faults.ts'
import { type DrillStage, drillStage, hostAll, nothingLeft } from '../support/drill-stage.ts'

t.setTimeout(400_000)

/** Ready at once, for what is broken off here is the holding of drills. */
const quick = (stage: DrillStage) => ({ ...stage.sites, look: async () => ({ wanted: 1, waiting: [] }) })

async function eachOnce(t: Test, stage: DrillStage, id: string, what: string) {
  const drill = await stage.over(id)
  t.match(drill, { state: 'passed', parts: [{ state: 'passed' }, { state: 'passed' }] }, what)
  const made = await stage.api.kit.database.query('select 1 from drills where parent_id = $1', [id])
  t.equal(made.length, drill.parts.length, 'each once')
  await nothingLeft(t, stage)
}

t.test('broken off at every write, before it or after it', async (t) => {
  const stage = await drillStage(t)
  const { from } = await hostAll(stage, { een: {}, twee: {} })
  const database = faultyWrites(stage.api.kit.database)
  const run = async (what: string) => {
    const { body } = await stage.begin({ datacenterId: stage.datacenters[from], kind: 'shadow' }, 'loket')
    const stop = stage.lead({ database, sites: quick(stage) })
    await stage.over(body.id)
    await stop()
    await eachOnce(t, stage, body.id, what)
  }
  await run('whole')
  const counted = database.writes()
  t.ok(counted >= 18, `${counted} writes`)
  for (let write = 1; write <= counted; write++)
    for (const side of ['before', 'after'] as const) {
      database.arm(write, side)
      await run(`${side} write ${write}`)
    }
})

t.test('called off before any write, nothing begins any more and all that was begun is removed', async (t) => {
  const stage = await drillStage(t)
  const { from } = await hostAll(stage, { een: {}, twee: {} })
  for (let write = 1; ; write++) {
    const { body } = await stage.begin({ datacenterId: stage.datacenters[from], kind: 'shadow' }, 'loket')
    const held = heldWrites(stage.api.kit.database, write)
    const stop = stage.lead({ database: held.database, sites: quick(stage) })
    const isOver = await Promise.race([held.reached.then(() => false), stage.over(body.id).then(() => true)])
    if (isOver) {
      t.ok(write >= 18, `${write} writes`)
      return
    }
    const aborted = await stage.ask('loket', 'POST', `drills/${body.id}/aborts`, { body: { reason: 'storing' } })
    held.release()
    const drill = await stage.over(body.id)
    await stop()
    const begun = ({ parts }: any) => parts.filter(({ drillId }: any) => drillId !== null).length
    if (aborted.status === 202) {
      t.equal(drill.state, 'aborted', `write ${write}`)
      t.equal(begun(drill), begun(aborted.body), 'no more than had begun')
    }
    await nothingLeft(t, stage)
  }
})

t.test('though two take it that they lead', async (t) => {
  const stage = await drillStage(t)
  const { from } = await hostAll(stage, { een: {}, twee: {} })
  stage.lead({ sites: quick(stage) })
  stage.lead({ sites: quick(stage) })
  for (const what of ['once', 'and again']) {
    const { body } = await stage.begin({ datacenterId: stage.datacenters[from], kind: 'shadow' }, 'loket')
    await eachOnce(t, stage, body.id, what)
  }
})
