/** Which desk a site listens to, and that what cannot be read changes nothing. */
import { duplexPair } from 'node:stream'
import t from 'tap'
import { epoch } from '../../../support/scripted-desk.ts'
import { createTown, memoryRecord, startAgent } from '../../../support/town.ts'
import { until } from '../../../support/until.ts'

const renewals = (desk: { said: readonly { kind: string }[] }) =>
  desk.said.filter(({ kind }) => kind === 'renew').length

t.test('the newest channel of the latest desk counts; an earlier one is closed and changes nothing', async (t) => {
  const town = await createTown(t)
  const store = memoryRecord()
  const agent = await startAgent(t, town, store)
  const first = agent.meet({ term: 4 })
  await until(() => renewals(first) > 0, 'the first to be heard')
  const second = agent.meet({ term: 5 })
  await until(() => renewals(second) > 0 && !first.isOpen(), 'the second to take its place')

  const late = agent.meet({ term: 4 })
  late.say({ kind: 'activate', hosting: 'h_late', epoch: epoch(1), activity: 'exclusive' })
  await until(() => !late.isOpen(), 'the earlier desk to be left')
  const stranger = agent.meet({ term: 9, datacenter: 'dc_other' })
  await until(() => !stranger.isOpen(), 'a desk that takes it for another to be left')
  const before = renewals(second)
  await until(() => renewals(second) > before, 'the latest to be spoken to still')
  t.same(store.kept()?.records, [])
  t.equal(store.kept()?.term, 5)

  const again = agent.meet({ term: 5 })
  await until(() => renewals(again) > 0 && !second.isOpen(), 'a new channel of the same desk')

  await agent.stop()
  const next = await startAgent(t, town, store)
  await until(() => store.kept()?.incarnation === 2, 'the next life')
  const old = next.meet({ term: 4 })
  await until(() => !old.isOpen(), 'the earlier desk to be left by a later life too')
})

t.test('lines that say nothing, and what comes before a desk has said who it is, change nothing', async (t) => {
  const town = await createTown(t)
  const store = memoryRecord()
  let malformed = 0
  const metrics = { held: () => undefined, stopped: () => undefined, malformed: () => void malformed++ }
  const agent = await startAgent(t, town, store, { metrics })

  const [near, far] = duplexPair()
  t.teardown(() => near.destroy())
  agent.fallback.accept(far, Buffer.alloc(0))
  near.write(`${JSON.stringify({ kind: 'activate', hosting: 'h_1', epoch: epoch(1), activity: 'exclusive' })}\n`)

  const desk = agent.meet()
  await until(() => renewals(desk) > 0, 'it to live')
  const writes = store.writes()
  const activate = { kind: 'activate', hosting: 'h_1', epoch: epoch(1), activity: 'exclusive' }
  const lines = [
    'nonsense',
    '{}',
    '[]',
    'null',
    '{"kind":7}',
    JSON.stringify({ ...activate, epoch: { generation: -1, counter: 1 } }),
    JSON.stringify({ ...activate, activity: 'shared' }),
    JSON.stringify({ ...activate, hosting: 7 }),
    JSON.stringify({ kind: 'renewed', incarnation: 1, seq: 1, leases: [{}], lost: [] }),
    JSON.stringify({ kind: 'hello', term: 'ten' }),
    JSON.stringify({ kind: 'of-a-later-version', hosting: 'h_1' }),
  ]
  for (const line of lines) desk.write(`${line}\n`)
  await until(() => malformed === lines.length - 1, 'the lines to be read')
  const before = renewals(desk)
  await until(() => renewals(desk) > before, 'it to live on')
  t.equal(store.writes(), writes)
  t.same(store.kept()?.records, [])
})
