/** What a cluster without an agent tells a store that was put back of who runs a hosting. */
import t from 'tap'
import { seenThere } from '../../../services/broker/fallback/core/standing.ts'
import { isLater, type Row } from '../../../services/fallback/index.ts'

const row: Row = {
  hosting: 'hst_1',
  activity: 'pinned',
  policy: 'confirm',
  epoch: { generation: 1, counter: 4 },
  holder: 'noord',
  highest: { generation: 1, counter: 5 },
  peers: { version: 1, members: [] },
  leftovers: [],
  amnesia: true,
}

t.test('it runs where the store says, unless the namespace tells of a later hand-over', (t) => {
  const running = { hosting: 'hst_1', highest: row.highest, running: row.epoch }
  t.same(seenThere(row, 'noord', undefined), running)
  t.same(seenThere(row, 'noord', { newerBy: 0, runs: false }), running, 'it may just not have come yet')
  t.equal(seenThere({ ...row, over: 'stopped' }, 'noord', undefined), undefined)
  t.equal(seenThere({ ...row, epoch: { generation: 1, counter: 0 } }, 'noord', undefined), undefined)
  const left = seenThere(row, 'noord', { newerBy: 1, runs: false })
  t.equal(left?.running, undefined, 'it has gone elsewhere since')
  t.ok(left && isLater(left.highest, row.highest))
  t.end()
})

t.test('what was handed over since runs where it is found, later than all that the store knows', (t) => {
  const found = seenThere(row, 'zuid', { newerBy: 2, runs: true })
  t.same(found?.running, { generation: 1, counter: 7 })
  t.same(found?.highest, found?.running)
  t.equal(seenThere(row, 'zuid', { newerBy: 1, runs: false })?.running, undefined, 'a standby')
  t.end()
})

t.test('what was left behind is told, and never counts for more than the holder', (t) => {
  t.equal(seenThere(row, 'zuid', undefined), undefined)
  t.equal(seenThere(row, 'zuid', { newerBy: 0, runs: false }), undefined)
  const left = seenThere(row, 'zuid', { newerBy: 0, runs: true })
  t.ok(left?.running && isLater(row.epoch, left.running))
  t.end()
})
