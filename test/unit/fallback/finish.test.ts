/** What an operation lacks until its hosting is as it was: one thing after the other, and when people have to look at it. */
import t from 'tap'
import { noteOf } from '../../../services/broker/fallback/operations/finish/copies.ts'
import { type Found, finish, stateAfter } from '../../../services/broker/fallback/operations/finish/steps.ts'
import type { CopyRow } from '../../../services/broker/fallback/operations/finish/store.ts'

const ready = { wanted: 2, waiting: [] }
const found: Found = { taken: new Set(['claimed', 'scaled-up']), stands: true, readiness: ready }
const namesOf = ({ steps }: ReturnType<typeof finish>) => steps.map(({ name }) => name)

t.test('what stands, and is ready, is through', async (t) => {
  t.same(finish(found), {
    steps: [
      { name: 'healthy', note: '2 workloads are ready' },
      { name: 'done', note: null },
    ],
  })
  t.match(finish({ ...found, readiness: { wanted: 1, waiting: [] } }).steps, [{ note: '1 workload is ready' }])
  t.match(finish({ ...found, readiness: 'forbidden' }).steps, [
    { note: 'nobody may look at what runs there: forbidden' },
  ])
})

t.test('nothing is looked at before it stands', async (t) => {
  const stands = 'its new site does not answer'
  t.same(finish({ ...found, stands, data: { state: 'done', reason: null } }), { steps: [], trouble: stands })
})

t.test('data comes before health, health before names', async (t) => {
  const names = { stands: true, problem: null, tried: true }
  const waiting = { state: 'waiting', reason: 'Cluster db is being promoted' } as const
  t.same(finish({ ...found, data: waiting, names }), { steps: [], trouble: waiting.reason, isHopeless: false })
  t.same(finish({ ...found, data: { state: 'failed', reason: 'no archive' }, names }).isHopeless, true)
  const late = { wanted: 2, waiting: ['Deployment web (1 of 2)', 'pod web-1: ImagePullBackOff'] }
  const brought = finish({ ...found, data: { state: 'done', reason: null }, readiness: late, names })
  t.same(namesOf(brought), ['data-promoted'])
  t.equal(brought.trouble, 'Deployment web (1 of 2), pod web-1: ImagePullBackOff')
  const data = { state: 'done', reason: null } as const
  t.same(namesOf(finish({ ...found, data, names })), ['data-promoted', 'healthy', 'traffic-switched', 'done'])
})

t.test('names are switched when they are announced, or when it is known why not', async (t) => {
  const by = (names: NonNullable<Found['names']>) => finish({ ...found, names })
  t.same(namesOf(by({ stands: false, problem: null, tried: false })), ['healthy'])
  t.same(namesOf(by({ stands: false, problem: null, tried: true })), ['healthy'])
  const refused = by({ stands: false, problem: 'no such kind', tried: true })
  t.match(refused.steps[1], { name: 'traffic-switched', note: 'not all is announced: no such kind' })
})

t.test('what was taken is not taken again', async (t) => {
  const taken = new Set([...found.taken, 'data-promoted', 'healthy', 'traffic-switched'])
  const { readiness: _, ...unseen } = found
  t.same(namesOf(finish({ ...unseen, taken, names: { stands: true, problem: null, tried: true } })), ['done'])
})

t.test('a person is needed when it is hopeless, or later than was agreed: a quarter of an hour without', async (t) => {
  const since = (seconds: number, rtoSeconds: number | null, trouble: object) =>
    stateAfter({ trouble: 'x', ...trouble }, { begunMs: 0, rtoSeconds }, seconds * 1000)
  t.equal(since(60, 60, {}), 'running')
  t.equal(since(61, 60, {}), 'needs-person')
  t.equal(since(900, null, {}), 'running')
  t.equal(since(901, null, {}), 'needs-person')
  t.equal(since(1, 60, { isHopeless: true }), 'needs-person')
  t.equal(stateAfter({}, { begunMs: 0, rtoSeconds: 1 }, 1e9), 'done')
})

t.test('what of it was there is told with its age', async (t) => {
  const row: CopyRow = { hosting: 'hst_1', objects: 12, as_of_ms: 0, lacking: [], data: [] }
  t.equal(noteOf(row), '12 objects, as of 1970-01-01T00:00:00.000Z')
  t.equal(noteOf({ ...row, objects: null, as_of_ms: null }), '0 objects, never in full')
  const lacking = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `Secret ${name}`)
  t.match(noteOf({ ...row, lacking }), '; 6 lacking: Secret a, Secret b, Secret c, Secret d, Secret e, …')
  const data = [
    { kind: 'cnpg', name: 'db', goodAtMs: 1000 },
    { kind: 'volsync', name: 'files', goodAtMs: null },
  ]
  t.match(noteOf({ ...row, data }), '; cnpg db as of 1970-01-01T00:00:01.000Z; volsync files: no copy')
})
