/** What a change of a row is the turn of. */
import t from 'tap'
import { turnsOf } from '../../../services/broker/fallback/core/turns.ts'
import type { Row } from '../../../services/fallback/index.ts'

const epoch = { generation: 1, counter: 2 }
const row: Row = {
  hosting: 'hst_1',
  activity: 'exclusive',
  policy: 'automatic',
  epoch,
  holder: 'dc_a',
  highest: { generation: 1, counter: 3 },
  peers: { version: 1, members: ['dc_b'] },
  leftovers: [],
  amnesia: false,
  saga: { id: 'failover', kind: 'failover', since: epoch },
}
const offered: Row = { ...row, offer: { epoch: row.highest, target: 'dc_b' } }
const kinds = (before: Row, after: Row) => turnsOf([{ before, after }]).map(({ kind }) => kind)

t.test('an offer that nobody took puts the failover off', async (t) => {
  t.same(turnsOf([{ before: offered, after: row }]), [{ kind: 'put-off', hosting: 'hst_1', by: 'dc_b' }])
})

t.test('one that was taken, or whose holder has stopped or is back, does not', async (t) => {
  const taken: Row = { ...row, holder: 'dc_b', epoch: row.highest }
  t.same(kinds(offered, taken), ['over', 'handed-over'])
  t.same(kinds(offered, { ...row, over: 'sealed' }), ['over'])
  const { saga: _saga, ...back } = row
  t.same(kinds(offered, back), ['called-off'])
  t.same(kinds(offered, { ...offered, highest: { generation: 1, counter: 4 } }), [], 'nor while it is on offer')
})
