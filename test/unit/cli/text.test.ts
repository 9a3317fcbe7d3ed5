/** Text for a terminal: nothing from elsewhere steers it, colours only where they are wanted, figures with their unit. */
import fc from 'fast-check'
import t from 'tap'
import { day, duration, euros, line, paintFor, printable, roughAmount } from '../../../services/cli/text.ts'
import { fakeIo } from './fake-io.ts'

t.test('what could steer or deceive is written out', async (t) => {
  for (const [text, shown] of [
    ['Zaaksysteem ’s-Hertogenbosch é 😀', 'Zaaksysteem ’s-Hertogenbosch é 😀'],
    ['\u001b[2J', '\\u001b[2J'],
    ['a\rb\nc\td', 'a\\u000db\\u000ac\\u0009d'],
    ['\u009b31m', '\\u009b31m'],
    ['user\u202egnp.exe', 'user\\u202egnp.exe'],
    ['a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
  ] as const)
    t.equal(printable(text), shown)
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      (text) => !/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/.test(printable(text)),
    ),
  )
  t.equal(line`our\n${'their\n'}${3}`, 'our\ntheir\\u000a3', 'our own words stay as they are')
})

t.test('colours only on a terminal that wants them', async (t) => {
  const painted = (terminal: boolean, env: Record<string, string> = {}) =>
    paintFor(fakeIo({ terminal, env }).io)('bad', 'x')
  t.equal(painted(true), '\u001b[31mx\u001b[39m')
  t.equal(painted(false), 'x')
  t.equal(painted(true, { NO_COLOR: '1' }), 'x')
  t.not(painted(true, { NO_COLOR: '' }), 'x', 'an empty NO_COLOR says nothing')
  t.equal(painted(true, { TERM: 'dumb' }), 'x')
  t.equal(paintFor(fakeIo({ terminal: true, env: {} }).io)(undefined, 'x'), 'x')
})

t.test('amounts to compare at a glance', async (t) => {
  for (const [resource, exact, rough] of [
    ['cpu', '79472m', '79.4'],
    ['cpu', '320', '320'],
    ['cpu', '250m', '250m'],
    ['memory', '651184Mi', '635.9Gi'],
    ['memory', '2560Gi', '2560Gi'],
    ['memory', '681816883200', '634.9Gi'],
    ['memory', '0', '0'],
    ['storage/standaard', '123456789Ki', '117.7Gi'],
    ['pods', '123456', '123456'],
  ] as const)
    t.equal(roughAmount(resource, exact), rough, `${exact} of ${resource}`)
})

t.test('durations, days and euros', async (t) => {
  for (const [seconds, text] of [
    [-3, '0 s'],
    [0, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7_199, '120 min'],
    [7_200, '2 h'],
    [172_800, '2 d'],
  ] as const)
    t.equal(duration(seconds), text)
  t.equal(day('2027-12-31T23:00:00Z'), '2028-01-01', 'a day begins when it does in the Netherlands')
  t.equal(day('2028-06-30T21:59:59Z'), '2028-06-30')
  for (const [cents, text] of [
    [0, '€ 0.00'],
    [5, '€ 0.05'],
    [123_456, '€ 1234.56'],
    [-7, '€ -0.07'],
    [Number.MAX_SAFE_INTEGER, '€ 90071992547409.91'],
  ] as const)
    t.same([euros(cents), euros(cents, 'nl')], [text, text.replace('.', ',')])
})
