/** The command line against the real API: the way of a provider and of a consumer, and how each thing that goes wrong is told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import type { Role } from '../../schemas/index.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { cli, type Ended } from '../unit/cli/fake-io.ts'

const amersfoort = { latitude: 52.16, longitude: 5.39 }
const example = new URL('../../docs/examples/open-zaak.yaml', import.meta.url).pathname
const system = ['system', 'register', '--slug', 'open-zaak', '--name', 'Open Zaak', '--classes', '2,2,2']

interface Desk {
  readonly api: TestApi
  /** Runs a command with the access file of a broker on this machine. */
  run(argv: readonly string[], stdin?: string): Promise<Ended>
  /** The same, and it has to end well; its JSON. */
  json(...argv: string[]): Promise<any>
}

/** The API listening, and an `access.json` as the all-in-one writes it. */
async function desk(t: Test): Promise<Desk> {
  const api = await testApi(t)
  const directory = mkdtempSync(join(tmpdir(), 'gemeentecloud-cli-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const names: Role[] = ['provider', 'consumer', 'loket', 'auditor']
  const tokens = Object.fromEntries(names.map((role) => [role, api.tokenOf(role)]))
  writeFileSync(join(directory, 'access.json'), JSON.stringify({ api: await api.listen(), tokens }), { mode: 0o600 })
  const run = (argv: readonly string[], stdin?: string) =>
    cli(argv, { env: { GEMEENTECLOUD_DATA: directory }, ...(stdin !== undefined && { stdin }) })
  const json = async (...argv: string[]) => {
    const { code, out, err } = await run([...argv, '-o', 'json'])
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${err}${out}`)
    return JSON.parse(out)
  }
  return { api, run, json }
}

t.test('a provider registers, connects, offers and looks', async (t) => {
  const { api, run, json } = await desk(t)
  const described = [
    '--region',
    'limburg',
    '--position',
    '50.88,5.98',
    '--classes',
    '3,3,3',
    '--evidence',
    'iso27001=2028-01-01',
  ]
  const registered = await run(['datacenter', 'register', '--slug', 'parkstad', '--name', 'Parkstad IT', ...described])
  t.match(registered, {
    code: 0,
    out: /^Datacenter parkstad is registered \(dc_/,
    err: /Next: gemeentecloud datacenter join-token parkstad/,
  })

  const joining = await run(['datacenter', 'join-token', 'parkstad', '--hours', '1'])
  t.equal(joining.code, 0, joining.err)
  t.match(joining.out, /export JOIN_TOKEN=gcj_[0-9a-z]{52}\n/)
  t.match(joining.out, /helm install gemeentecloud-agent [\s\S]*--set desk\.url=http:\/\/127\.0\.0\.1:\d+/)
  t.match(joining.out, /DESK_URL=http:\/\/127\.0\.0\.1:\d+ .*node services\/agent\/main\.ts/)

  const connected = await run(
    ['datacenter', 'connect', 'parkstad', '--kubeconfig', '-'],
    'apiVersion: v1\nkind: Config\n',
  )
  t.equal(connected.code, 0, connected.err)
  t.match(api.connections, [{ input: { kind: 'push', kubeconfig: 'apiVersion: v1\nkind: Config\n' } }])

  const amounts = ['--cpu', '64', '--memory', '256Gi', '--storage', 'standaard=10Ti', '--pods', '300']
  const offer = await json(
    'datacenter',
    'offer',
    'parkstad',
    ...amounts,
    '--until',
    '2099-07-01',
    '--tariff',
    'cpu=7.50',
  )
  t.match(offer, {
    amounts: { cpu: '64', memory: '256Gi', pods: '300', 'storage/standaard': '10Ti' },
    period: { end: '2099-06-30T22:00:00.000Z' },
    tariff: { cpu: 7_500_000 },
    quality: 'guaranteed',
  })
  const shown = await run(['datacenter', 'show', 'parkstad'])
  t.equal(shown.code, 0, shown.err)
  t.match(shown.out, /evidence +iso27001 until 2028-01-01/)
  t.match(shown.out, /Capacity, the cluster was never seen/)
  t.match(shown.out, /^cpu +\? +\? +64 +0 +0 +\?$/m, 'what is not known is not zero')
  t.match(shown.out, /guaranteed.*cpu 64, /)
  const [listed] = await json('datacenter', 'list', '--region', 'limburg')
  t.match(listed, { slug: 'parkstad', region: 'limburg' })
  for (const slug of ['zwolle', 'almere']) await api.activeDatacenter({ slug })
  const slugs = (await json('datacenter', 'list')).map((each: { slug: string }) => each.slug)
  t.same(slugs, ['almere', 'parkstad', 'zwolle'], 'by name')
  t.same(await json('datacenter', 'list', '--region', 'zeeland'), [])
})

t.test('a request lands somewhere, is shown, and ends', async (t) => {
  const { api, run, json } = await desk(t)
  await api.activeDatacenter({ slug: 'utrecht' })
  await api.activeDatacenter({ slug: 'zwolle', position: { latitude: 52.51, longitude: 6.09 } })
  api.schedule()
  t.equal((await run(system)).code, 0)

  const quote = await run(['hosting', 'quote', '-f', example])
  t.equal(quote.code, 0, quote.err)
  t.match(quote.out, /^(utrecht +zwolle|zwolle +utrecht) +€ \d+\.\d\d/m)
  t.match(quote.out, /nothing is reserved/)
  t.equal((await json('hosting', 'list')).length, 0, 'a quote asks for nothing')

  const asked = await run(['hosting', 'request', '-f', example])
  t.equal(asked.code, 0, asked.err + asked.out)
  t.match(asked.out, /^open-zaak-voorbeeld is placed at \w+ with its standby at \w+, for € \d+\.\d\d a month\./)
  const listed = await run(['hosting', 'list'])
  t.match(listed.out, /^open-zaak-voorbeeld +open-zaak +provisioning +(utrecht +zwolle|zwolle +utrecht) /m)
  const shown = await run(['hosting', 'show', 'open-zaak-voorbeeld'])
  const hosting = await json('hosting', 'show', 'open-zaak-voorbeeld')
  await api.eventsOf('consumer', hosting.id, 2)
  t.match((await run(['events', '--subject', 'open-zaak-voorbeeld'])).out, /hosting\.placed/, 'by its name')
  t.match(shown.out, /^primary +(utrecht|zwolle) +absent/m)
  t.match(shown.out, /\(asked: cold\)/)
  t.match(shown.out, /^system +open-zaak \(Open Zaak\)$/m)
  t.match(shown.out, /^(utrecht|zwolle) .* \d+ +price \d+, balance \d+; standby: /m, 'what it scored')

  t.match(await run(['hosting', 'active', 'open-zaak-voorbeeld']), { code: 6, out: /is active nowhere now/ })

  const again = await run(['hosting', 'request', '-f', example])
  t.match(again, { code: 1, err: /This name is taken/ })
  const ended = await run(['hosting', 'end', 'open-zaak-voorbeeld'])
  t.match(ended, { code: 0, out: /open-zaak-voorbeeld is (ending|ended)/ })
  // What no cluster of this test tells: that its namespaces are gone.
  await api.kit.database.query(`update placements set wanted = 'released', observed = 'absent'`)
  await api.kit.database.query(`update hostings set wanted = 'ended'`)
  t.match(await run(['hosting', 'list']), { code: 0, out: /^NAME .*\n$/, err: '1 more has ended; --all shows them\n' })
  t.match(await run(['hosting', 'list', '--all']), { out: /^open-zaak-voorbeeld +open-zaak +ended /m, err: '' })
})

t.test('a request without a place says why, grouped and per datacenter', async (t) => {
  const { api, run } = await desk(t)
  await api.activeDatacenter({ slug: 'utrecht' })
  await api.activeDatacenter({ slug: 'amersfoort', position: amersfoort })
  await api.activeDatacenter({ slug: 'zwolle', region: 'overijssel', offer: null })
  api.schedule()
  await run(system)
  const asked = await run([
    'hosting',
    'request',
    '-f',
    example,
    '--region',
    'overijssel',
    '--fallback',
    'none',
    '--name',
    'zaak',
  ])
  // The file asks a distance to a standby, which without a standby contradicts itself: the API names the field.
  t.match(asked, { code: 2, err: /fallback\.mode \(--fallback\) is none/ })
  const file = 'components: [{name: web, replicas: 1, requests: {cpu: 1, memory: 1Gi}}]'
  const text = await run(
    [
      'hosting',
      'request',
      '-f',
      '-',
      '--system',
      'open-zaak',
      '--name',
      'zaak',
      '--fallback',
      'none',
      '--region',
      'overijssel',
    ],
    file.replace('cpu: 1,', 'cpu: "1",'),
  )
  t.equal(text.code, 1, text.err + text.out)
  t.match(text.out, /^zaak has no place: /)
  t.match(text.out, /^ +2 +primary +region/m, 'grouped')
  const shown = await run(['hosting', 'show', 'zaak'])
  t.equal(shown.code, 0)
  for (const datacenter of ['utrecht', 'amersfoort', 'zwolle'])
    t.match(shown.out, new RegExp(`^${datacenter} +primary +\\S.{10}`, 'm'))
  const quote = await run(
    ['hosting', 'quote', '-f', '-', '--system', 'open-zaak', '--fallback', 'none', '--region', 'groningen'],
    'components: [{name: web, replicas: 1, requests: {cpu: 1000m, memory: 1Gi}}]',
  )
  t.equal(quote.code, 1, 'no place is a refusal for a quote too')
})

t.test('manifests become a hosting', async (t) => {
  const { api, run } = await desk(t)
  await api.activeDatacenter({ slug: 'utrecht' })
  await api.activeDatacenter({ slug: 'amersfoort', position: amersfoort })
  api.schedule()
  await run(system)
  const manifests = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  template:
    spec:
      containers: [{name: app, image: example/app}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec: {accessModes: [ReadWriteMany], storageClassName: gedeeld, resources: {requests: {storage: 5Gi}}}
`
  const from = ['--from-manifests', '-', '--system', 'open-zaak', '--fallback', 'cold']
  const refused = await run(['hosting', 'request', ...from, '--name', 'zaak'], manifests)
  t.match(refused, { code: 2, err: /Deployment\/web, container app: no request for cpu and memory/ })
  const defaults = ['--default-cpu', '100m', '--default-memory', '128Mi']
  const file = await run(
    ['hosting', 'request', ...from, '--name', 'zaak', ...defaults, '--dry-run', '-o', 'yaml'],
    manifests,
  )
  t.match(parse(file.out), {
    name: 'zaak',
    systemSlug: 'open-zaak',
    components: [{ name: 'web', replicas: 2, requests: { cpu: '100m', memory: '128Mi' } }],
    volumes: [{ name: 'files', storageClass: 'gedeeld', size: '5Gi', accessMode: 'ReadWriteMany' }],
  })
  const asked = await run(['hosting', 'request', '-f', '-'], file.out)
  t.match(asked, { code: 0, out: /^zaak is placed at / }, 'what a dry run prints is a request')
})

t.test('each wish has an option, and a mistake in it names that', async (t) => {
  const { api, run } = await desk(t)
  await api.activeDatacenter({ slug: 'utrecht' })
  await api.activeDatacenter({ slug: 'amersfoort', position: amersfoort })
  api.schedule()
  await run(system)
  const components = [{ name: 'web', replicas: 2, requests: { cpu: '100m', memory: '64Mi' } }]
  const file = JSON.stringify({ components, fallback: { mode: 'none' } })
  const ask = (name: string, ...options: string[]) =>
    run(['hosting', 'request', '-f', '-', '--name', name, '--system', 'open-zaak', '-o', 'json', ...options], file)
  t.equal((await ask('een')).code, 0)
  const two = await ask('twee', '--together', 'een', '--weight', 'energy=50', '--preemptible', '--priority', '1')
  t.match(JSON.parse(two.out), {
    constraints: { together: ['een'], weights: { energy: 50 } },
    preemptible: true,
    priority: 1,
    placements: [{ role: 'primary' }],
  })
  const warm = await ask('drie', '--fallback', 'warm', '--warm-replicas', '1')
  t.match(JSON.parse(warm.out), { fallback: { mode: 'warm', warmReplicas: 1 }, placements: { length: 2 } })
  const apart = await ask('vier', '--apart', 'drie', '--apart-from-system', 'open-zaak')
  t.match(apart, { code: 1 }, 'it has no place left')
  t.match(await ask('vijf', '--apart', 'nergens'), { code: 2, err: /--apart/ })
})

t.test('what goes wrong has its own exit code and words', async (t) => {
  const { api, run } = await desk(t)
  const url = await api.listen().catch(() => '')
  t.match(await run(['datacenter', 'show', 'nergens']), {
    code: 3,
    err: /There is no datacenter nergens\n`gemeentecloud datacenter list`/,
  })
  t.match(await run(['hosting', 'end', 'niets']), { code: 3 })
  t.match(await run(['hosting', 'list', '--as', 'provider']), { code: 4, err: /Not allowed/ })
  t.match(await run([...system, '--as', 'auditor']), { code: 4 })
  const wrong = await run([
    'datacenter',
    'register',
    '--slug',
    'Zwolle',
    '--region',
    'x',
    '--position',
    '52,6',
    '--classes',
    '1,1,1',
  ])
  t.match(wrong, { code: 2, err: /^ {2}slug \(--slug\) must be of lower-case letters, .* a dash, and is "Zwolle"\n/m })
  t.match(wrong.err, /^ {2}name \(--name\) is required$/m, 'every field at once')
  t.equal(wrong.err.split('name (--name) is required').length, 2, 'and each once')
  t.match(await run(['system', 'register', '-f', '-'], 'slug: a\nname: "A"\nclases: {}\nclasses: {}'), {
    code: 2,
    err: /^ {2}clases is not a field we know/m,
  })
  t.equal(url, '', 'the server listens once')
})

t.test('a slip of the pen: what may have been meant', async (t) => {
  const { api, run } = await desk(t)
  await api.activeDatacenter({ slug: 'amersfoort', region: 'utrecht' })
  t.equal((await run(system)).code, 0)
  t.match(await run(['datacenter', 'show', 'amersfort']), { code: 3, err: 'Did you mean amersfoort?\n' })
  t.match(await run(['system', 'list', '-o', 'json']), { code: 0 })
  const file =
    'systemSlug: open-zaak\nfallback: {mode: none}\ncomponents: [{name: a, replicas: 1, requests: {cpu: 1, memory: 1Gi}}]'
  const quote = (text: string, ...options: string[]) => run(['hosting', 'quote', '-f', '-', ...options], text)
  t.match(await quote(file), { code: 2, err: '  components[0].requests.cpu must be text: in quotes, "1"\n' })
  const right = file.replace('cpu: 1', 'cpu: "1"')
  t.match(await quote(right.replace('open-zaak', 'openzaak')), { code: 3, err: 'Did you mean open-zaak?\n' })
  t.match(await quote(right, '--region', 'Utrecht'), {
    code: 2,
    err: /^No datacenter lies in Utrecht. Did you mean utrecht\?\n/,
  })
  t.match(await quote(right, '--region', 'zeeland'), { code: 1, err: 'lies in zeeland. There are some in utrecht.\n' })
  t.match(await quote(right, '--region', 'utrecht'), { code: 0, err: '' })
  t.match(await run(['datacenter', 'list', '--region', 'utrect']), { code: 0, err: 'Did you mean utrecht?\n' })
})

t.test('events: the last ones, of one subject, and as they come', async (t) => {
  const { api, run, json } = await desk(t)
  const { id } = await json(...system)
  // Transactions of other tests hold events back for as long as they run; once the last is there, all are.
  await api.eventsOf('consumer', id, 1)
  const events = await json('events')
  t.ok(events.length > 3)
  t.same(await json('events', '--last', '2'), events.slice(-2))
  t.same(await json('events', '--after', events[0].cursor), events.slice(1))
  const registered = events.find((event: { type: string }) => event.type === 'system.registered')
  t.same((await json('events', '--subject', registered.subject.id)).length, 1)
  t.match(await run(['events', '--subject', 'nowhere']), { code: 3, err: /no datacenter or hosting nowhere/ })
  t.match((await run(['events'])).out, new RegExp(`system\\.registered +${registered.subject.id}`))
  t.ok(api)
})

t.test('a place is held, taken over and let go, and all is explained in Dutch to who reads Dutch', async (t) => {
  const { api, run, json } = await desk(t)
  await api.activeDatacenter({ slug: 'utrecht' })
  await api.activeDatacenter({ slug: 'zwolle', position: { latitude: 52.51, longitude: 6.09 } })
  api.schedule()
  t.equal((await run(system)).code, 0)
  const held = await run(['hosting', 'quote', '-f', example, '--hold', '30'])
  t.equal(held.code, 0, held.err)
  t.match(
    held.out,
    /^Quote quo_\w+, valid until \S+; its place is held until \S+: `gemeentecloud hosting request --quote /m,
  )
  t.match(held.out, / {2}costs the same, .*falls back to (utrecht|zwolle)$/m, 'what tells the second from the first')
  const id = /quo_\w+/.exec(held.out)?.[0] ?? ''
  t.equal((await run(['hosting', 'request', '--quote', id, '-f', example])).code, 2, 'one source of what to host')
  const other = await run(['hosting', 'request', '--quote', id, '--name', 'van-offerte', '--region', 'utrecht'])
  t.equal(other.code, 2, 'not another demand')
  t.match(other.err, /is not what was quoted/)
  const taken = await run(['hosting', 'request', '--quote', id, '--name', 'van-offerte'])
  t.equal(taken.code, 0, taken.err)
  t.match(taken.out, /^van-offerte is placed at/)
  t.equal((await run(['hosting', 'request', '--quote', id, '--name', 'nog-een'])).code, 1, 'once')

  const { id: second } = await json('hosting', 'quote', '-f', example, '--hold', '5')
  t.equal((await run(['hosting', 'let-go', second])).out, `${second} has ended.\n`)
  t.equal((await run(['hosting', 'let-go', 'quo_no'])).code, 3)
  t.equal((await run(['hosting', 'quote', '-f', example, '--hold', '61'])).code, 2, 'longer than one may')

  const refused = ['hosting', 'quote', '-f', example, '--max-price', '0.01']
  t.match((await run([...refused, '--language', 'nl'])).out, /^geweigerd 2: 2 × prijs boven het maximum/)
  t.match((await run(refused)).out, /^refused 2: 2 × price above the cap/)
  const asked = await run(['hosting', 'request', ...refused.slice(2), '--name', 'te-duur'])
  t.equal(asked.code, 1)
  const unmet = await run(['unmet-demand', '--language', 'nl'])
  t.match(unmet.out, /^anywhere +prijs boven het maximum +1 +0 .* s ago$/m)
})
