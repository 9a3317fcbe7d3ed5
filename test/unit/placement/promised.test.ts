/** Every promise has its properties, each is run somewhere, and in all there are worlds enough. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { properties } from './exact/promised.ts'

const sources = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => ({ name, text: readFileSync(`${import.meta.dirname}/${name}`, 'utf8') }))

t.test('P1 to P6 each have a property under their name, and all properties see at least 5,000 worlds', async (t) => {
  for (const [property, { promises }] of Object.entries(properties)) {
    const run = new RegExp(`inWorlds\\(\\s*t,\\s*'${property}',`)
    const [found, ...more] = sources.filter(({ text }) => run.test(text))
    t.ok(found && more.length === 0, `${property} is run in one file`)
    const before = found?.text.slice(0, found.text.search(run)) ?? ''
    const title = before.slice(before.lastIndexOf('t.test('))
    for (const promise of promises) t.match(title, promise, `its title names ${promise}`)
  }
  for (const promise of ['P1', 'P2', 'P3', 'P4', 'P5', 'P6']) {
    const own = Object.values(properties).filter(({ promises }) => (promises as readonly string[]).includes(promise))
    const count = own.reduce((sum, { worlds }) => sum + worlds, 0)
    t.ok(count >= 1000, `${promise}: ${count} worlds`)
  }
  // Queues are no worlds.
  const all = Object.values(properties).reduce((sum, { worlds }) => sum + worlds, 0) - properties.turns.worlds
  t.comment(`${all} worlds in all`)
  t.ok(all >= 5000, `${all} worlds`)
})
