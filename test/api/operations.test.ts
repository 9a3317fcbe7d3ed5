/** Every operation of the contract: who may call it, that it works, and who may not. */
import t, { type Test } from 'tap'
import type { Role } from '../../schemas/index.ts'
import { testApi } from '../support/api.ts'
import { callOperation, copiedWorlds, type Operation, operations } from '../support/operations.ts'
import { storeDigest } from '../support/store-digest.ts'

const allRoles: readonly Role[] = ['provider', 'consumer', 'loket', 'auditor']
const copied = copiedWorlds(t)
const table = Object.entries(operations)
const nowhere = {
  partyId: `pty_${'0'.repeat(26)}`,
  datacenterId: `dc_${'0'.repeat(26)}`,
  awaitedId: `dc_${'0'.repeat(26)}`,
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
      const { api, world } = await copied(t)
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

function mapValues<T extends object>(object: T, value: () => string): Record<keyof T, string> {
  return Object.fromEntries(Object.keys(object).map((key) => [key, value()])) as Record<keyof T, string>
}
