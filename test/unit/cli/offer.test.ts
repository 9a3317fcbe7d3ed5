/** `datacenter offer`: slips of the pen are caught before the broker is asked anything. */
import t from 'tap'
import { cli } from './fake-io.ts'

const offer = (...flags: string[]) => cli(['datacenter', 'offer', 'utrecht', ...flags])

t.test('what is wrong is said without a broker', async (t) => {
  for (const [flags, message] of [
    [[], /nothing is offered: give at least one of --cpu/],
    [['--until', '2030-01-01'], /nothing is offered/],
    [['--storage', 'snel=1Ti', '--storage', 'snel=2Ti'], /storage\/snel is given twice/],
    [['--storage', 'snel=1Ti', '--resource', 'storage/snel=2Ti'], /storage\/snel is given twice/],
    [['--cpu', '1', '--resource', 'cpu=2'], /cpu is given twice/],
    [['--cpu', '1', '--tariff', 'cpu=1', '--tariff', 'cpu=2'], /--tariff: cpu is given twice/],
    [['--cpu', '1', '--tariff', 'cpu=7,50'], /euros with at most 6 decimals, such as 7\.50/],
    [['--cpu', '1', '--tariff', 'cpu'], /--tariff.*NAME=VALUE/],
    [['--cpu', '1', '--storage', '1Ti'], /--storage.*NAME=VALUE/],
    [['--cpu', '1', '--from', 'gisteren'], /--from.*a date such as 2027-01-01/],
    [['--cpu', '1', '--quality', 'gold'], /--quality.*guaranteed, revocable, opportunistic/],
    [['--cpus', '1'], /unknown option '--cpus'[\s\S]*Did you mean --cpu/],
  ] as const) {
    const { code, out, err } = await offer(...flags)
    t.equal(code, 2, err)
    t.equal(out, '')
    t.match(err, message, flags.join(' '))
    t.notMatch(err, /\bat .*\.ts:\d/, 'no stack')
  }
  t.match(
    await offer('--cpu', '1'),
    { code: 5, err: /No gemeentecloud was found\nStart one/ },
    'and then where the broker is',
  )
})
