/** What people type behind options: read exactly, or refused with how it should be. */
import { InvalidArgumentError } from 'commander'
import t, { type Test } from 'tap'
import {
  classes,
  euroAmount,
  instant,
  number,
  pair,
  position,
  several,
  wholeNumber,
} from '../../../services/cli/flags.ts'

const refuses = (t: Test, read: (text: string) => unknown, texts: readonly string[], message: RegExp) => {
  for (const text of texts) {
    try {
      t.fail(`${JSON.stringify(text)} became ${JSON.stringify(read(text))}`)
    } catch (error) {
      t.type(error, InvalidArgumentError, text)
      t.match((error as Error).message, message, text)
    }
  }
}

t.test('a date is a day in the Netherlands, an instant is an instant', async (t) => {
  t.equal(instant('2027-01-01'), '2026-12-31T23:00:00.000Z', 'winter')
  t.equal(instant('2027-07-01'), '2027-06-30T22:00:00.000Z', 'summer')
  t.equal(instant('2027-03-28'), '2027-03-27T23:00:00.000Z', 'the day on which the clock goes forward')
  t.equal(instant('2027-10-31'), '2027-10-30T22:00:00.000Z', 'the day on which it goes back')
  t.equal(instant('2027-01-01T12:00:00Z'), '2027-01-01T12:00:00.000Z')
  t.equal(instant('2027-01-01T12:00:00+01:00'), '2027-01-01T11:00:00.000Z')
  const none = [
    '',
    'tomorrow',
    '1-1-2027',
    '2027-1-1',
    '2027-02-30',
    '2027-13-01',
    '2027-01-01T12:00:00',
    '2027-01-01 12:00',
  ]
  refuses(t, instant, [...none, '2027-02-30T12:00:00Z', '2027-01-01T25:00:00Z'], /a date such as 2027-01-01/)
})

t.test('euros are exact', async (t) => {
  t.equal(euroAmount('7.50', 2), 750)
  t.equal(euroAmount('7.5', 6), 7_500_000)
  t.equal(euroAmount('0.000001', 6), 1)
  t.equal(euroAmount('0.1', 2) + euroAmount('0.2', 2), euroAmount('0.3', 2))
  t.equal(euroAmount('99999999.99', 2), 9_999_999_999)
  refuses(
    t,
    (text) => euroAmount(text, 2),
    ['', '-1', '1,50', '1.234', '€ 1', '1e3', '.5', '1.', '123456789'],
    /euros with at most 2/,
  )
})

t.test('numbers, pairs, places and classes', async (t) => {
  t.equal(number('-1.5'), -1.5)
  refuses(t, number, ['', ' ', 'x', '1x', 'Infinity', 'NaN', '1,5'], /a number/)
  t.equal(wholeNumber('007'), 7)
  refuses(t, wholeNumber, ['', '-1', '1.0', '1e3', '9'.repeat(16)], /a whole number/)
  t.same(pair('a=b=c'), ['a', 'b=c'])
  refuses(t, pair, ['', 'a', '=b', 'a='], /NAME=VALUE/)
  t.same(position('52.09,5.12'), { latitude: 52.09, longitude: 5.12 })
  refuses(t, position, ['52.09', '52.09,', '52.09,5.12,0', '52,09,5,12', 'utrecht'], /number|LATITUDE,LONGITUDE/)
  t.same(classes('1,2,3'), { availability: 1, integrity: 2, confidentiality: 3 })
  refuses(t, classes, ['1,2', '1,2,4', '0,1,1', '1, 2, 3', '123'], /such as 2,3,3/)
  t.same(
    ['a=1', 'b=2'].reduce<[string, string][]>((all, text) => several(pair)(text, all), []),
    [
      ['a', '1'],
      ['b', '2'],
    ],
  )
})
