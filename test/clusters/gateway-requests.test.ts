/** Hosting asked for with stock kubectl, on a real cluster, and another party that sees nothing of it. */
import t, { type Test } from 'tap'
import { type GatewayStage, setGatewayStage, type Tenant } from './gateway-stage.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 60_000
const api = '/apis/hosting.gemeentecloud.nl/v1/hostingrequests'

interface Story extends GatewayStage {
  readonly one: Tenant
  readonly two: Tenant
}

type Chapter = (t: Test, story: Story) => Promise<void>

const component = { name: 'web', replicas: 2, requests: { cpu: '50m', memory: '64Mi' } }
const request = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'hosting.gemeentecloud.nl/v1',
  kind: 'HostingRequest',
  metadata: { name, ...metadata },
  spec: {
    systemSlug: 'zaken',
    components: [component],
    constraints: { regions: ['breda'] },
    fallback: { mode: 'none' },
    ...spec,
  },
})

const hostings = async (tenant: Tenant, name: string) =>
  (await tenant.get(`hostings?name=${name}`)).body.items as { id: string; state: string }[]

const known: Chapter = async (t, { one }) => {
  t.match(
    await one.kubectl('api-resources', '--no-headers'),
    /hostingrequests +hr +hosting\.gemeentecloud\.nl\/v1 +false/,
  )
  t.equal(await one.kubectl('get', 'hr', '--no-headers'), '')
  t.match(await one.kubectl('explain', 'hr'), /HostingRequest[\s\S]*spec[\s\S]*-required-/)
  t.match(await one.kubectl('explain', 'hostingrequest.spec.components'), /replicas[\s\S]*So many will do|minReplicas/)
  t.match(await one.kubectl('explain', 'hr.spec.constraints.weights'), /distance/)
}

const applied: Chapter = async (t, { one }) => {
  t.match(await one.kubectl('auth', 'can-i', 'create', 'hr'), /yes/)
  const given = request('open-zaak', {}, { labels: { team: 'zaken' } })
  t.match(await one.given(given, 'apply', '-f', '-', '--dry-run=server'), /created \(server dry run\)/)
  t.same(await hostings(one, 'open-zaak'), [], 'a dry run asks nothing')
  const watching = one.watch(`${api}?watch=true&allowWatchBookmarks=true`)
  t.teardown(watching.stop)
  t.match(await one.given(given, 'apply', '-f', '-'), 'hostingrequest.hosting.gemeentecloud.nl/open-zaak created')
  t.match(await one.given(given, 'apply', '-f', '-'), 'open-zaak unchanged')
  t.match(await one.kubectl('wait', '--for=condition=Ready', 'hr/open-zaak', '--timeout=90s'), 'condition met')
  t.match(await one.kubectl('get', 'hr'), /NAME +STATE +PRIMARY +STANDBY +AGE\nopen-zaak +running +breda/)
  t.match(await one.kubectl('get', 'hr', '-l', 'team=zaken', '-o', 'name'), /open-zaak/)
  t.equal(await one.kubectl('get', 'hr', '-l', 'team=elders', '-o', 'name'), '')
  t.match(await one.kubectl('describe', 'hr', 'open-zaak'), /Primary: +breda[\s\S]*State: +running/)
  t.equal((await hostings(one, 'open-zaak')).length, 1, 'however often it is applied')
  t.match(await one.kubectl('get', 'ns', 'open-zaak', '--no-headers'), /Active/)
  await until(
    'the watch to know',
    patience,
    () => watching.events.some(({ object }: any) => object.status?.state === 'running') || undefined,
  )
  const versions = watching.events.map(({ object }: any) => BigInt(object.metadata.resourceVersion))
  t.same(
    versions,
    versions.toSorted((a, b) => (a < b ? -1 : 1)),
    'versions grow',
  )
  t.equal(watching.events[0].type, 'ADDED')

  const read = (await one.call('GET', `${api}/open-zaak`)).body
  t.match(read, {
    metadata: { generation: 1, finalizers: [String] },
    spec: { systemSlug: 'zaken' },
    status: { state: 'running', primary: 'breda', namespace: 'open-zaak', observedGeneration: 1 },
  })
  t.same(
    read.status.conditions.map(({ type, status, observedGeneration }: any) => [type, status, observedGeneration]),
    [
      ['Accepted', 'True', 1],
      ['Placed', 'True', 1],
      ['Ready', 'True', 1],
    ],
  )
}

const changed: Chapter = async (t, { one }) => {
  t.equal(await one.given(request('open-zaak', {}, { labels: { team: 'zaken' } }), 'diff', '-f', '-'), '')
  const more = request('open-zaak', { components: [{ ...component, replicas: 3 }] }, { labels: { team: 'zaken' } })
  await t.rejects(one.given(more, 'apply', '-f', '-'), /spec\.components\[0\]\.replicas.*cannot become 3, it is 2/)
  t.match(await one.kubectl('label', 'hr', 'open-zaak', 'ploeg=a'), 'labeled')
  t.match(await one.kubectl('get', 'hr', 'open-zaak', '-o', 'jsonpath={.metadata.labels}'), /"ploeg":"a"/)
  await t.rejects(
    one.given(request('open-zaak', {}, { labels: { team: 'anders' } }), 'diff', '-f', '-'),
    /-\s+team: zaken\n\+\s+team: anders/,
  )
  const stale = (await one.call('GET', `${api}/open-zaak`)).body
  await one.kubectl('label', 'hr', 'open-zaak', 'ploeg=b', '--overwrite')
  t.match(await one.call('PUT', `${api}/open-zaak`, { body: stale }), { status: 409, body: { reason: 'Conflict' } })
  t.match(await one.call('DELETE', api), { status: 405 })
}

const watched: Chapter = async (t, { one, kit }) => {
  const watching = one.begin('get', 'hr', '-w', '--output-watch-events', '--no-headers', '--show-labels')
  t.teardown(watching.end)
  await until('the watch to begin', patience, () => /ADDED +open-zaak +running/.test(watching.said()) || undefined)
  await one.kubectl('label', 'hr', 'open-zaak', 'seen=yes')
  await until('a label to be seen', patience, () => /MODIFIED +open-zaak.*seen=yes/.test(watching.said()) || undefined)
  await one.given(request('kort'), 'create', '-f', '-')
  await until('another to come', patience, () => /ADDED +kort/.test(watching.said()) || undefined)
  await until('it to run', patience, () => /MODIFIED +kort +running +breda/.test(watching.said()) || undefined)
  await one.kubectl('delete', 'hr', 'kort', '--timeout=90s')
  await until('it to go', patience, () => /DELETED +kort/.test(watching.said()) || undefined)

  const [{ id } = { id: '' }] = await hostings(one, 'open-zaak')
  const { items } = (await one.get(`events?subject=${id}&type=hosting.labelled&limit=500`)).body
  t.match(items.at(-1), {
    actor: `consumer:${one.id}:test`,
    partyId: one.id,
    data: { object: 'HostingRequest', labels: ['seen'], annotations: [] },
  })
  const told = items.length
  await one.kubectl('label', 'hr', 'open-zaak', 'seen=yes', '--overwrite')
  await one.kubectl('label', 'hr', 'open-zaak', 'seen=no', '--overwrite', '--dry-run=server')
  const [after] = await kit.database.query<{ n: number }>(
    `select count(*) as n from events where subject_id = $1 and type = 'hosting.labelled'`,
    [id],
  )
  t.equal(after?.n, told, 'what changes nothing is not told')
}

const otherPatches: Chapter = async (t, { one }) => {
  const json = JSON.stringify([{ op: 'add', path: '/metadata/labels/door', value: 'json' }])
  await t.rejects(
    one.kubectl('patch', 'hr', 'open-zaak', '--type=json', '-p', json),
    /UnsupportedMediaType|application\/json-patch\+json is not read here; send a merge patch, or apply/,
  )
  for (const type of ['application/json-patch+json', 'application/json', 'text/plain', '']) {
    const headers = { 'content-type': type }
    const answer = await one.call('PATCH', `${api}/open-zaak`, {
      body: { metadata: { labels: { door: 'x' } } },
      headers,
    })
    t.match(answer, { status: 415, body: { reason: 'UnsupportedMediaType' } }, type)
  }
  t.notMatch(await one.kubectl('get', 'hr', 'open-zaak', '-o', 'jsonpath={.metadata.labels}'), /door/)
  t.match(
    await one.kubectl('patch', 'hr', 'open-zaak', '--type=merge', '-p', '{"metadata":{"labels":{"door":"merge"}}}'),
    'patched',
  )
}

const serverSide: Chapter = async (t, { one }) => {
  const apply = (object: object, ...more: string[]) => one.given(object, 'apply', '--server-side', '-f', '-', ...more)
  t.match(await apply(request('kiss', {}, { labels: { a: '1', b: '2' } })), 'kiss serverside-applied')
  t.match(await apply(request('kiss', {}, { labels: { a: '1' } })), 'kiss serverside-applied')
  t.equal(await one.kubectl('get', 'hr', 'kiss', '-o', 'jsonpath={.metadata.labels}'), '{"a":"1"}')
  t.equal((await hostings(one, 'kiss')).length, 1)
  await t.rejects(apply(request('kiss', { waitForCapacity: true })), /spec\.waitForCapacity/)
}

const refused: Chapter = async (t, { one }) => {
  const bad = request('fout', { components: [{ ...component, replicas: 0, requests: { cpu: 'veel', memory: '1Gi' } }] })
  const answer = await one.call('POST', api, { body: bad })
  t.match(answer, { status: 422, body: { reason: 'Invalid', details: { name: 'fout', kind: 'HostingRequest' } } })
  t.same(answer.body.details.causes.map(({ field }: any) => field).sort(), [
    'spec.components[0].replicas',
    'spec.components[0].requests.cpu',
  ])
  await t.rejects(one.given(request('fout', { onbekend: 1 }), 'create', '-f', '-'), /spec\.onbekend: is not a field/)
  await t.rejects(one.given(request('fout', { systemSlug: 'nergens' }), 'apply', '-f', '-'), /spec\.systemSlug/)
  await t.rejects(one.given(request('kube-system'), 'create', '-f', '-'), /metadata\.name: is reserved/)
  await t.rejects(one.given(request('open-zaak'), 'create', '-f', '-'), /AlreadyExists|already exists/)
  const nowhere = request('nergens', { constraints: { regions: ['nergens'] } })
  await one.given(nowhere, 'create', '-f', '-')
  await one.kubectl('wait', '--for=jsonpath={.status.state}=unschedulable', 'hr/nergens', '--timeout=60s')
  const { status } = (await one.call('GET', `${api}/nergens`)).body
  t.match(status.conditions, [{ status: 'True' }, { status: 'False', reason: 'Unschedulable' }, { status: 'False' }])
  t.match(status.refusals[0], { datacenter: String, rule: String, message: String })
  t.match(await one.kubectl('delete', 'hr', 'nergens', '--timeout=60s'), 'deleted')
}

const namespaces: Chapter = async (t, { one, two }) => {
  const text = JSON.stringify(request('').spec)
  const namespace = (annotations: object, labels: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'meldingen', annotations, labels },
  })
  const annotated = namespace({ 'hosting.gemeentecloud.nl/request': text }, { team: 'zaken' })
  await t.rejects(
    one.kubectl('create', 'ns', 'meldingen'),
    /annotate it with hosting\.gemeentecloud\.nl\/request/,
    'without a request nothing is made',
  )
  const wrong = namespace({ 'hosting.gemeentecloud.nl/request': text.replace('50m', 'veel') })
  await t.rejects(one.given(wrong, 'apply', '-f', '-'), /metadata\.annotations\[.*\]\.components\[0\]\.requests\.cpu/)
  t.match(await one.given(annotated, 'apply', '-f', '-'), 'namespace/meldingen created')
  t.match(await one.kubectl('get', 'ns', 'meldingen', '--no-headers'), /meldingen +(Pending|Active)/)
  t.match(await one.given(annotated, 'apply', '-f', '-'), 'namespace/meldingen unchanged')
  t.match(await one.kubectl('wait', '--for=condition=Ready', 'hr/meldingen', '--timeout=90s'), 'condition met')
  await one.kubectl('wait', '--for=jsonpath={.status.phase}=Active', 'ns/meldingen', '--timeout=60s')
  t.match(await one.kubectl('get', 'ns', '-l', 'team=zaken', '-o', 'name'), 'namespace/meldingen')
  t.match(await one.kubectl('-n', 'meldingen', 'create', 'configmap', 'eerste'), 'created')
  t.match(await one.given(annotated, 'apply', '--server-side', '--force-conflicts', '-f', '-'), 'serverside-applied')
  const other = namespace({ 'hosting.gemeentecloud.nl/request': text.replace('"replicas":2', '"replicas":3') })
  await t.rejects(one.given(other, 'apply', '-f', '-'), /components\[0\]\.replicas: cannot become 3/)
  t.equal((await hostings(one, 'meldingen')).length, 1)
  await t.rejects(two.kubectl('delete', 'ns', 'meldingen'), /not found/)
  await t.rejects(one.kubectl('delete', 'ns', 'open-zaak'), /ends with its hosting: kubectl delete hr open-zaak/)
  t.match(await one.kubectl('delete', 'ns', 'meldingen', '--timeout=90s'), 'deleted')
  t.match(await hostings(one, 'meldingen'), [{ state: 'ended' }])
}

const strangers: Chapter = async (t, { one, two }) => {
  t.equal(await two.kubectl('get', 'hr', '-o', 'name'), '')
  for (const method of ['GET', 'DELETE', 'PATCH']) {
    const options = method === 'PATCH' ? { body: {}, headers: { 'content-type': 'application/merge-patch+json' } } : {}
    const [theirs, none] = [
      await two.call(method, `${api}/open-zaak`, options),
      await two.call(method, `${api}/bestaat-niet`, options),
    ]
    t.equal(theirs.status, 404, method)
    t.equal(theirs.text.replaceAll('open-zaak', 'bestaat-niet'), none.text, 'the same words')
  }
  t.match(await one.kubectl('get', 'hr', 'open-zaak', '-o', 'jsonpath={.status.state}'), 'running')
}

const ended: Chapter = async (t, { one }) => {
  const [before] = await hostings(one, 'open-zaak')
  const watching = one.watch(`${api}?watch=true&fieldSelector=metadata.name%3Dopen-zaak`)
  t.teardown(watching.stop)
  await until('the watch to begin', patience, () => watching.events.length > 0 || undefined)
  t.match(await one.kubectl('delete', 'hr', 'open-zaak', '--timeout=90s'), 'deleted')
  await until('its end', patience, () => watching.events.some(({ type }: any) => type === 'DELETED') || undefined)
  t.ok(
    watching.events.some(({ object }: any) => object.metadata.deletionTimestamp),
    'it is seen to end',
  )
  t.match((await one.get(`hostings/${before?.id}`)).body, { state: 'ended' })
  t.match(await one.given(request('open-zaak'), 'apply', '-f', '-'), 'created')
  await one.kubectl('wait', '--for=condition=Ready', 'hr/open-zaak', '--timeout=90s')
  t.equal((await hostings(one, 'open-zaak')).length, 2, 'the same again after its end is another')
}

const chapters: Record<string, Chapter> = {
  'the kind is known': known,
  'it is applied, waited for and seen': applied,
  'what can be changed of it': changed,
  'it is watched, and what is written on it is told': watched,
  'patches of other kinds': otherPatches,
  'server-side apply': serverSide,
  'what is refused': refused,
  'a namespace brings its hosting': namespaces,
  'another party sees nothing': strangers,
  'it is ended, and asked for again': ended,
}

t.test('hosting requests at the gateway', { skip }, async (t) => {
  const stage = await setGatewayStage(t, 'push')
  const [one, two] = [
    await stage.tenant(stage.consumer),
    await stage.tenant(await stage.newConsumer('00000099000000000203')),
  ] as const
  const classes = { availability: 2, integrity: 2, confidentiality: 2 }
  await one.post('systems', { slug: 'zaken', name: 'Zaken', classes })
  for (const [name, chapter] of Object.entries(chapters)) await t.test(name, (t) => chapter(t, { ...stage, one, two }))
})
