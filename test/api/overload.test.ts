/** Many at once: quotes do not wait for each other's connection, and the API never takes the last one from the leader. */
import t from 'tap'
import { testApi } from '../support/api.ts'
import { callOperation, makeWorld, type Operation, operations } from '../support/operations.ts'

const quote = operations.quoteHosting as Operation

t.test('more quotes at once than there are connections', async (t) => {
  const api = await testApi(t)
  const world = await makeWorld(api)
  const answers = await Promise.all(Array.from({ length: 60 }, () => callOperation(api, quote, world)))
  t.same(
    answers.map(({ status }) => status),
    answers.map(() => 201),
  )
})

t.test('a repeat of a quote is told what the first was told', async (t) => {
  const api = await testApi(t)
  const world = await makeWorld(api)
  const sent = { body: quote.body?.(world) as object, headers: { 'idempotency-key': 'quote-it-once' } }
  const first = await api.call('consumer', 'POST', 'quotes', sent)
  const second = await api.call('consumer', 'POST', 'quotes', sent)
  t.same(second.body, first.body)
  t.equal(second.headers['idempotent-replayed'], 'true')
})

t.test('an API that is held up is answered 503, and leaves the leader its connections', async (t) => {
  const api = await testApi(t)
  const world = await makeWorld(api)
  const { database } = api.kit
  const lock = await database.session(() => undefined)
  await lock.query('begin')
  await lock.query('lock table systems in access exclusive mode')
  const held = Array.from({ length: 20 }, () => api.call('auditor', 'GET', `systems/${world.systemId}`))
  const shed = await Promise.any(
    held.map(async (answer) => ((await answer).status === 503 ? answer : Promise.reject(new Error('served')))),
  )
  t.equal(shed.body.type, 'https://gemeentecloud.nl/problems/overloaded')
  t.ok(Number(shed.headers['retry-after']) > 0)
  t.same(await database.query('select 1 as one'), [{ one: 1 }], 'the leader has a connection at once')
  await lock.query('rollback')
  await lock.close()
  const statuses = (await Promise.all(held)).map(({ status }) => status)
  // On a busy machine some are still in time to get a connection of those that are served now.
  t.ok(statuses.filter((status) => status === 200).length >= 12, 'those that had a connection are served')
  t.ok(
    statuses.every((status) => status === 200 || status === 503),
    'and the others are told so',
  )
  t.equal((await api.call('auditor', 'GET', `systems/${world.systemId}`)).status, 200, 'and so is the next')
})
