/** Every operation of the contract: who may call it, that it works, who may not, and that its change is told. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Role } from '../../schemas/index.ts'
import { testApi } from '../support/api.ts'
import { callOperation, makeWorld, type Operation, operations } from '../support/operations.ts'
import { changesWithoutEvent, storeDigest } from '../support/store-digest.ts'

const allRoles: readonly Role[] = ['provider', 'consumer', 'loket', 'auditor']
const table = Object.entries(operations)
const changes = table.filter(([, { method }]) => method !== 'GET')
const nowhere = {
  partyId: `pty_${'0'.repeat(26)}`,
  datacenterId: `dc_${'0'.repeat(26)}`,
  systemId: `sys_${'0'.repeat(26)}`,
  quoteId: `quo_${'0'.repeat(26)}`,
  planId: `pln_${'0'.repeat(26)}`,
  runningPlanId: `pln_${'0'.repeat(26)}`,
  movableId: `hst_${'0'.repeat(26)}`,
  operationId: `opr_${'0'.repeat(26)}`,
  drillId: `drl_${'0'.repeat(26)}`,
  reportedId: `drl_${'0'.repeat(26)}`,
  drillPlanId: `dpl_${'0'.repeat(26)}`,
  hostingId: `hst_${'0'.repeat(26)}`,
  enrolmentId: `enr_${'0'.repeat(26)}`,
  joinToken: 'gcj_of-no-datacenter',
}

t.test('the table is the contract: no operation without expectations, none that is gone', async (t) => {
  const api = await testApi(t)
  const { body: document } = await api.call('nobody', 'GET', 'openapi.json')
  const described: Record<string, string> = {}
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, { operationId }] of Object.entries(methods as Record<string, { operationId: string }>))
      described[operationId] = `${method.toUpperCase()} ${path.slice(1)}`
  const expected = table.map(([name, { method, path }]) => {
    const template = path({ ...mapValues(nowhere, () => '{id}') })
    return [name, `${method} ${template}`]
  })
  t.same(Object.fromEntries(expected), described)
})

t.test('who may: every operation by every role, by nobody, and with a token that was never issued', async (t) => {
  const api = await testApi(t)
  for (const [name, operation] of table) {
    const gate = async (as: Parameters<typeof api.call>[0]) =>
      (await callOperation(api, operation, nowhere, { as, ...(operation.body && { body: {} }) })).status
    const open = operation.roles === 'public'
    // What is open to everybody is read by everybody; what an open change is worth stands in its body, which is empty here.
    const toNobody = !open ? 401 : operation.method === 'GET' ? 200 : 400
    t.equal(await gate('nobody'), toNobody, `${name} without a token`)
    t.equal(await gate({ token: 'gc_this-token-was-never-issued' }), toNobody, `${name} with a foreign token`)
    for (const role of allRoles) {
      const status = await gate(role)
      if (open || operation.roles.includes(role)) t.notOk([401, 403].includes(status), `${name} as ${role}: ${status}`)
      else t.equal(status, 403, `${name} as ${role}`)
    }
  }
})

t.test('each works, and another party of the same role cannot do it to what is not its own', async (t) => {
  for (const [name, operation] of table) {
    await t.test(name, async (t) => {
      const api = await testApi(t, { realConnections: true })
      const world = await makeWorld(api)
      if (operation.stranger !== undefined) {
        const stranger = await api.newParty(operation.as)
        const before = await storeDigest(api.kit.database)
        const refused = await callOperation(api, operation, world, { as: stranger })
        t.equal(refused.status, operation.stranger, 'as a stranger')
        t.same(await storeDigest(api.kit.database), before, 'a stranger changes nothing')
      }
      const answer = await callOperation(api, operation, world)
      t.equal(answer.status, operation.status, JSON.stringify(answer.body))
      t.match(answer.headers, {
        'api-version': /^\d+\.\d+\.\d+$/,
        'x-request-id': /^req_/,
        'cache-control': 'no-store',
      })
      if (operation.located) {
        const read = await api.call(operation.as, 'GET', String(answer.headers.location))
        t.equal(read.status, 200, 'its Location can be read')
        t.ok(JSON.stringify(read.body).includes(answer.body.id), 'and is the thing')
      } else t.notOk(answer.headers.location)
      await checkVersion(t, api, operation, answer)
    })
  }
})

/** One thing that is read or made has an ETag; the same that comes with its Location. */
async function checkVersion(
  t: Test,
  api: Awaited<ReturnType<typeof testApi>>,
  { as, located }: Operation,
  { headers, body }: { headers: Record<string, unknown>; body: any },
) {
  if (!/^(pty|dc|sys|hst)_/.test(body.id ?? '')) return
  t.match(headers.etag, /^"\d+"$/)
  if (!located) return
  t.equal((await api.call(as, 'GET', String(headers.location))).headers.etag, headers.etag, 'one version')
}

t.test('each change is told, under its request id, in its own transaction', async (t) => {
  for (const [name, operation] of changes) {
    await t.test(name, async (t) => {
      const api = await testApi(t, { realConnections: true })
      const { database } = api.kit
      const world = await makeWorld(api)
      // The rows that makeWorld wrote past the API become one change that is told.
      await database.transaction(async (sql) => {
        await sql.query('update datacenters set name = name')
        await sql.query('update inventories set facts = facts')
        await sql.query('update agents set updated_at = updated_at')
        await sql.query('update hostings set name = name')
        await sql.query('update placements set wanted = wanted')
        await sql.query('update claims set kind = kind')
        await sql.query('update claimed set amount = amount')
        await sql.query('update drills set version = version')
        await sql.query(`insert into events (id, type, subject_kind, subject_id, actor, data, at)
          values ('evt_fixture', 'test.prepared', 'test', 'fixture', 'test', '{}', now())`)
      })
      t.same(await changesWithoutEvent(database), [], 'so far everything is told')
      const answer = await callOperation(api, operation, world)
      const told = await database.query<{ type: string }>(
        'select type from events where request_id = $1 order by sequence',
        [answer.headers['x-request-id']],
      )
      t.same(
        told.map(({ type }) => type),
        operation.events,
      )
      t.same(await changesWithoutEvent(database), [])
    })
  }
})

t.test('a change that is not told is seen', async (t) => {
  const { database } = (await testApi(t)).kit
  t.same(await changesWithoutEvent(database), [])
  await database.query(`update parties set name = 'x' where oin = '00000099000000000101'`)
  t.match(await changesWithoutEvent(database), [/^parties: transaction \d+$/])
})

t.test('no change without its event: when the log refuses, nothing is changed and the key stays free', async (t) => {
  for (const [name, operation] of changes) {
    await t.test(name, async (t) => {
      const api = await testApi(t, { realConnections: true })
      const { database } = api.kit
      const world = await makeWorld(api)
      const before = await storeDigest(database)
      await database.query('alter table events add constraint refused check (false) not valid')
      const headers = { 'idempotency-key': randomUUID() }
      const body = operation.body?.(world)
      const send = () =>
        api.call(operation.as, operation.method, operation.path(world), { headers, ...(body && { body }) })
      const failed = await send()
      t.equal(failed.status, 500)
      t.match(failed.body, { type: /internal$/, detail: /req_/ })
      t.notMatch(JSON.stringify(failed.body), /constraint|events/, 'the store is nobody else his business')
      t.same(await storeDigest(database), before)
      await database.query('alter table events drop constraint refused')
      const repeated = await send()
      t.equal(repeated.status, operation.status, 'the same request, when the log is back')
      t.notOk(repeated.headers['idempotent-replayed'])
    })
  }
})

function mapValues<T extends object>(object: T, value: () => string): Record<keyof T, string> {
  return Object.fromEntries(Object.keys(object).map((key) => [key, value()])) as Record<keyof T, string>
}
