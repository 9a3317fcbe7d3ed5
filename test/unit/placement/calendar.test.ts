/** The calendar: bookings add up at each instant and leave no trace when taken back. */
import fc from 'fast-check'
import t from 'tap'
import { aheadOf, type Booking, book, createLedger, indexAt, unbook } from '../../../services/placement/calendar.ts'

const need = (amount: number) => [{ resource: 'cpu', index: 0, amount }]
const at = (ledger: ReturnType<typeof createLedger>, instant: number) =>
  ledger.segments[indexAt(ledger.segments, instant)]

t.test('a booking counts from its start until, not at, its end', async (t) => {
  const ledger = createLedger()
  book(ledger, { period: { start: 10, end: 20 }, need: need(5), domains: undefined })
  t.same(
    [9, 10, 19, 20].map((instant) => at(ledger, instant)?.used[0] ?? 0),
    [0, 5, 5, 0],
  )
})

t.test('standbys of one domain add up, those of different domains share', async (t) => {
  const ledger = createLedger()
  const standby = (amount: number, domains: string[]) =>
    book(ledger, { period: { start: 0, end: Number.POSITIVE_INFINITY }, need: need(amount), domains })
  standby(5, ['site/a'])
  standby(3, ['site/b'])
  t.equal(at(ledger, 0)?.reserve[0], 5)
  standby(4, ['site/b'])
  t.equal(at(ledger, 0)?.reserve[0], 7)
  standby(4, ['site/c', 'site/b'])
  t.equal(at(ledger, 0)?.reserve[0], 11)
})

t.test('taking back what was not booked is a broken invariant', async (t) => {
  t.throws(() => unbook(createLedger(), { period: { start: 0, end: 1 }, need: need(1), domains: undefined }))
})

t.test('against a list of bookings: any instant, any order of taking back', async (t) => {
  const booking: fc.Arbitrary<Booking> = fc
    .record({
      start: fc.constantFrom(Number.NEGATIVE_INFINITY, 0, 1, 2, 3, 4),
      length: fc.constantFrom(0, 1, 2, 3, Number.POSITIVE_INFINITY),
      amount: fc.integer({ min: 1, max: 9 }),
      domains: fc.option(fc.subarray(['f', 'g', 'h'], { minLength: 1 }), { nil: undefined }),
    })
    .map(({ start, length, amount, domains }) => ({
      period: { start, end: Number.isFinite(start) ? start + length : 2 + length },
      need: need(amount),
      domains,
    }))
  const bookings = fc.array(fc.record({ booking, goes: fc.boolean() }), { maxLength: 12 })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bookings, (all) => {
        const ledger = createLedger()
        for (const { booking } of all) book(ledger, booking)
        for (const { booking, goes } of all.toReversed()) if (goes) unbook(ledger, booking)
        const stay = all.filter(({ goes }) => !goes).map(({ booking }) => booking)
        const sumAt = (instant: number, of: (b: Booking) => boolean) =>
          stay
            .filter((b) => of(b) && b.period.start <= instant && instant < b.period.end)
            .reduce((sum, b) => sum + (b.need[0]?.amount ?? 0), 0)
        const used = (instant: number) => sumAt(instant, (b) => !b.domains)
        const reserve = (instant: number) =>
          Math.max(...['f', 'g', 'h'].map((domain) => sumAt(instant, (b) => b.domains?.includes(domain) ?? false)))
        for (let instant = -1; instant < 8; instant += 0.5) {
          const segment = at(ledger, instant)
          if ((segment?.used[0] ?? 0) !== used(instant) || (segment?.reserve[0] ?? 0) !== reserve(instant))
            throw new Error(`at ${instant}`)
          const rest = Array.from({ length: 20 }, (_, i) => instant + i * 0.5)
          const most = {
            used: Math.max(...rest.map(used)),
            reserve: Math.max(...rest.map(reserve)),
            load: Math.max(...rest.map((i) => used(i) + reserve(i))),
          }
          const ahead = aheadOf(ledger, indexAt(ledger.segments, instant), {
            start: instant,
            end: Number.POSITIVE_INFINITY,
          })
          if (
            (ahead?.used[0] ?? 0) !== most.used ||
            (ahead?.reserve[0] ?? 0) !== most.reserve ||
            (ahead?.load[0] ?? 0) !== most.load
          )
            throw new Error(`ahead of ${instant}`)
        }
        if (stay.length === 0 && ledger.segments.length > 1) throw new Error('boundaries are left')
      }),
      { numRuns: 1000 },
    ),
  )
})

t.test('what lies ahead is not asked when the period ends before the last change', async (t) => {
  const ledger = createLedger()
  book(ledger, { period: { start: 10, end: 20 }, need: need(5), domains: undefined })
  t.equal(aheadOf(ledger, 0, { start: 0, end: 10 }), undefined)
  t.equal(aheadOf(ledger, 0, { start: 0, end: 21 })?.load[0], 5)
})
