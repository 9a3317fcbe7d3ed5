/** Connections: looked at outside of transactions, given to the version that the caller knows, refused where they lead inside. */
import t from 'tap'
import type { Kit } from '../../services/shared/kit.ts'
import { testApi } from '../support/api.ts'
import { acceptableKubeconfig } from '../support/kubeconfig.ts'
import { registrationOf } from '../support/registration.ts'
import { storeDigest } from '../support/store-digest.ts'

const push = { kind: 'push', kubeconfig: acceptableKubeconfig() }

t.test('while a connection is looked at, which may take as long as a name takes, no transaction is open', async (t) => {
  const open: number[] = []
  const looked = async ({ database }: Kit) => {
    const [row] = await database.query<{ count: number }>(
      `select count(*) from pg_stat_activity
       where datname = current_database() and state like 'idle in transaction%'`,
    )
    open.push(row?.count ?? -1)
  }
  const api = await testApi(t, { looked })
  const body = { ...registrationOf('parkstad', api.parties.provider, ''), connection: push }
  const made = await api.call('provider', 'POST', 'datacenters', { body })
  t.equal(made.status, 201)
  const path = `datacenters/${made.body.id}/connection`
  t.equal((await api.call('provider', 'PUT', path, { body: push })).status, 200)
  const stranger = await api.newParty('provider')
  t.equal((await api.call(stranger, 'PUT', path, { body: push })).status, 403)
  t.same(open, [0, 0], 'two looks, none for a stranger')
})

t.test('If-Match guards a connection as it does every change', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const id = await api.activeDatacenter({ slug: 'parkstad' })
  const give = (ifMatch?: string) =>
    api.call('provider', 'PUT', `datacenters/${id}/connection`, {
      body: push,
      headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
    })
  const { headers } = await api.call('provider', 'GET', `datacenters/${id}`)
  const before = await storeDigest(api.kit.database)
  t.match(await give('"0"'), { status: 412, body: { type: /version-conflict$/ } })
  t.same(await storeDigest(api.kit.database), before)
  const known = String(headers.etag)
  const both = await Promise.all([give(known), give(known)])
  t.same(both.map(({ status }) => status).sort(), [200, 412], 'of two that know the same version one is the first')
  t.equal((await give()).status, 200, 'without, as before')
})

t.test('a sandbox cluster is taken by a broker that runs such, for its identity is not looked at', async (t) => {
  const sandbox = { ...push, kind: 'sandbox' }
  const strict = await testApi(t, { realConnections: true })
  const before = await storeDigest(strict.kit.database)
  const body = { ...registrationOf('parkstad', strict.parties.provider, ''), connection: sandbox }
  const refused = await strict.call('provider', 'POST', 'datacenters', { body })
  t.match(refused, { status: 403, body: { type: /forbidden$/, detail: /push/ } })
  t.same(await storeDigest(strict.kit.database), before)
  const id = await strict.activeDatacenter()
  t.equal((await strict.call('provider', 'PUT', `datacenters/${id}/connection`, { body: sandbox })).status, 403)

  const policy = { allowedAddresses: [], sandboxClusters: true }
  const demonstration = await testApi(t, { realConnections: true, policy })
  const own = { ...body, operatorId: demonstration.parties.provider }
  t.equal((await demonstration.call('provider', 'POST', 'datacenters', { body: own })).status, 201)
})

t.test('the networks that an installation names are refused to clusters', async (t) => {
  const policy = { allowedAddresses: [], refusedAddresses: ['203.0.113.0/24'] }
  const api = await testApi(t, { realConnections: true, policy })
  const id = await api.activeDatacenter()
  const refused = await api.call('provider', 'PUT', `datacenters/${id}/connection`, { body: push })
  t.match(refused, { status: 400, body: { type: /kubeconfig-refused$/, detail: /address of our own network/ } })
})

t.test('how a cluster is reached, and how it fails, is between its operator and the desk', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const id = await api.activeDatacenter({ slug: 'parkstad' })
  await api.call('provider', 'PUT', `datacenters/${id}/connection`, { body: push })
  const reason = 'connect ECONNREFUSED 203.0.113.5:6443'
  await api.kit.database.query(`update datacenters set contact = 'unreachable', contact_reason = $2 where id = $1`, [
    id,
    reason,
  ])
  const seenBy = async (as: Parameters<typeof api.call>[0]) => {
    const { body } = await api.call(as, 'GET', `datacenters/${id}`)
    const [listed] = (await api.call(as, 'GET', 'datacenters?slug=parkstad')).body.items
    t.same([listed.contactReason, listed.connection], [body.contactReason, body.connection], 'listed as read')
    return { contact: body.contact, contactReason: body.contactReason, connection: body.connection }
  }
  const full = {
    contact: 'unreachable',
    contactReason: reason,
    connection: { kind: 'push', server: 'https://203.0.113.5:6443' },
  }
  const plain = { contact: 'unreachable', contactReason: null, connection: { kind: 'push' } }
  for (const role of ['provider', 'loket', 'auditor'] as const) t.same(await seenBy(role), full, role)
  t.same(await seenBy('consumer'), plain, 'a consumer')
  t.same(await seenBy(await api.newParty('provider')), plain, 'another provider')

  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const system = await api.call('consumer', 'POST', 'systems', { body: { slug: 'zaak', name: 'Zaak', classes } })
  const components = [{ name: 'web', replicas: 1, requests: { cpu: '1', memory: '1Gi' } }]
  for (const [state, says] of [
    ['active', /it is unreachable$/],
    ['checking', /it is checking$/],
  ] as const) {
    await api.kit.database.query('update datacenters set state = $2, generation = generation + 1 where id = $1', [
      id,
      state,
    ])
    const body = { systemId: system.body.id, components, fallback: { mode: 'none' } }
    const quote = await api.call('consumer', 'POST', 'quotes', { body })
    t.match(quote.body.decision.refusals, [{ rule: 'closed', message: says }], 'why it cannot be, and not more')
    t.notMatch(JSON.stringify(quote.body), 'ECONNREFUSED')
  }
})
