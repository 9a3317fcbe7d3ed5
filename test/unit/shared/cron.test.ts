/** When something recurs: cron in the time of a place, over the days on which its clocks are changed. */
import t from 'tap'
import { isTimeZone, nextAfter, parseCron } from '../../../services/shared/cron.ts'

function next(expression: string, from: string, count = 3, zone = 'Europe/Amsterdam'): string[] {
  const recurrence = parseCron(expression)
  if (!recurrence) throw new Error(`${expression} is no cron`)
  const found: string[] = []
  let at = Date.parse(from)
  for (let i = 0; i < count; i++) {
    at = nextAfter(recurrence, zone, at) ?? Number.NaN
    found.push(new Date(at).toISOString().slice(0, 16))
  }
  return found
}

t.test('the evening stays the evening when the clocks change', async (t) => {
  t.same(next('0 22 * * *', '2026-10-24T12:00:00Z'), ['2026-10-24T20:00', '2026-10-25T21:00', '2026-10-26T21:00'])
  t.same(next('0 22 * * *', '2026-03-28T12:00:00Z'), ['2026-03-28T21:00', '2026-03-29T20:00', '2026-03-30T20:00'])
})

t.test('an hour that is passed over in spring is taken as much later, once', async (t) => {
  t.same(next('30 2 * * *', '2026-03-27T12:00:00Z'), ['2026-03-28T01:30', '2026-03-29T01:30', '2026-03-30T00:30'])
  t.same(next('*/30 2-3 29 3 *', '2026-03-28T12:00:00Z', 2), ['2026-03-29T01:00', '2026-03-29T01:30'])
})

t.test('an hour that comes twice in autumn is taken the first time', async (t) => {
  t.same(next('30 2 * * *', '2026-10-24T12:00:00Z'), ['2026-10-25T00:30', '2026-10-26T01:30', '2026-10-27T01:30'])
  t.same(next('30 2 * * *', '2026-10-25T00:30:00Z', 1), ['2026-10-26T01:30'], 'not at the second half past two')
})

t.test('a day is right both of the month and of the week', async (t) => {
  t.same(next('0 22 1-7 * 2', '2026-11-30T12:00:00Z'), ['2026-12-01T21:00', '2027-01-05T21:00', '2027-02-02T21:00'])
  t.same(next('0 0 29 2 *', '2026-11-30T12:00:00Z', 2, 'UTC'), ['2028-02-29T00:00', '2032-02-29T00:00'])
  t.same(next('0 6 * jan mon', '2026-11-30T12:00:00Z', 2, 'UTC'), ['2027-01-04T06:00', '2027-01-11T06:00'])
})

t.test('the instant itself is past, and a second is dropped', async (t) => {
  t.same(next('0 12 * * *', '2026-06-01T12:00:00Z', 1, 'UTC'), ['2026-06-02T12:00'])
  t.same(next('0 12 * * *', '2026-06-01T11:59:59.999Z', 1, 'UTC'), ['2026-06-01T12:00'])
  t.same(next('15 * * * *', '2026-06-01T12:00:00Z', 2, 'Asia/Kathmandu'), ['2026-06-01T12:30', '2026-06-01T13:30'])
})

t.test('what is no cron of five fields, or names days in its own way, is none', async (t) => {
  const refused = [
    '',
    '* * * *',
    '* * * * * *',
    '61 * * * *',
    '0 0 L * *',
    '0 0 * * 5#2',
    '0 0 31 2 *',
    'a b c d e',
    '@daily',
  ]
  for (const expression of refused) t.equal(parseCron(expression), undefined, expression)
})

t.test('zones are those that the machine knows', async (t) => {
  t.ok(isTimeZone('Europe/Amsterdam'))
  t.notOk(isTimeZone('Europe/Utrecht'))
})
