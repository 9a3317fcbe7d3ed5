/** Three datacenters whose agents are programs of their own, and the gateway: sessions, a chart, a cut, a move, and the wire. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import type { KubernetesObject } from '../../services/broker/clusters/core/objects.ts'
import { newId } from '../../services/shared/ids.ts'
import { clusterAccess } from '../support/cluster-access.ts'
import { temporaryFolder } from '../support/folder.ts'
import { startWiretap, type Wiretap } from '../support/wiretap.ts'
import { type AgentProcess, createAgentProcess } from './agent-process.ts'
import { fleetChart } from './fleet-chart.ts'
import { type GatewayStage, type Site, setGatewayStage, type Tenant } from './gateway-stage.ts'
import { startReflector } from './reflector.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(30 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 90_000
const sites: readonly Site[] = ['amersfoort', 'breda', 'zwolle']
/** In the log of every pod, so that what is looked for on the wire is known to pass there. */
const logged = 'een-regel-in-het-logboek'

interface Story extends GatewayStage {
  readonly one: Tenant
  readonly agents: ReadonlyMap<Site, AgentProcess>
  readonly tap: () => Wiretap
  readonly folder: string
}

type Chapter = (t: Test, story: Story) => Promise<void>

const logLine = (text: string) => `2026-11-24T12:00:00.000000000Z stdout F ${text}\n`

/** What KWOK's kubelet answers with: a file as the log, programs of this machine, and a server as every port. */
function played(folder: string, port: number): object[] {
  const apiVersion = 'kwok.x-k8s.io/v1alpha1'
  const one = (kind: string, spec: object) => ({ apiVersion, kind, metadata: { name: 'all' }, spec })
  const logsFile = join(folder, 'log')
  return [
    one('ClusterLogs', { logs: [{ logsFile, follow: true }] }),
    one('ClusterAttach', { attaches: [{ logsFile }] }),
    one('ClusterExec', {
      execs: [{ local: { workDir: folder, envs: [{ name: 'PATH', value: process.env['PATH'] ?? '' }] } }],
    }),
    one('ClusterPortForward', { forwards: [{ target: { address: '127.0.0.1', port } }] }),
  ]
}

const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'web',
        image: 'registry.invalid/web',
        resources: { requests: { cpu: '50m', memory: '64Mi' } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
})
const at = ['-n', 'open-zaak']

const sessions: Chapter = async (t, { one, folder }) => {
  await one.given(pod('web'), ...at, 'apply', '-f', '-')
  await one.kubectl(...at, 'wait', 'pod/web', '--for=condition=Ready', '--timeout=60s')
  t.match(await one.kubectl(...at, 'logs', 'web'), logged)
  const attached = one.begin(...at, 'attach', 'web')
  t.teardown(attached.end)
  await until('what it says from then on', patience, () => {
    appendFileSync(join(folder, 'log'), logLine('en-nog-een'))
    return attached.said().includes('en-nog-een') || undefined
  })

  t.equal(await one.kubectl(...at, 'exec', 'web', '--', 'echo', 'hallo'), 'hallo\n')
  const text = 'regel\n'.repeat(50_000)
  const sent = JSON.stringify({ text })
  // KWOK does not tell a program that its input has ended (so nothing can be copied in, either): this one counts.
  const took = one.given({ text }, ...at, 'exec', '-i', 'web', '--', 'head', '-c', String(sent.length))
  t.ok((await took) === sent, 'both ways')
  await t.rejects(
    one.kubectl(...at, 'exec', 'web', '--', 'sh', '-c', 'echo fout >&2; exit 7'),
    /fout[\s\S]*exit status 7/,
  )

  const copy = join(one.folder, 'kopie')
  writeFileSync(join(folder, 'bestand'), text)
  await one.kubectl(...at, 'cp', 'web:bestand', copy)
  t.ok(readFileSync(copy, 'utf8') === text, 'a file out of it')

  const forward = one.begin(...at, 'port-forward', 'pod/web', ':80')
  t.teardown(forward.end)
  const port = await until('the port', patience, () => /127\.0\.0\.1:(\d+)/.exec(forward.said())?.[1])
  for (const word of ['een', 'twee']) {
    t.equal(await (await fetch(`http://127.0.0.1:${port}/${word}`)).text(), `antwoord /${word}`)
  }
}

const chart: Chapter = async (t, { one, at: cluster }) => {
  const { definition, rule, files } = fleetChart
  const role = clusterAccess('gemeentecloud-tenant') as KubernetesObject & { rules: object[] }
  // What one of the caller's datacenters does not have is not served.
  for (const site of sites) await cluster(site).apply(definition, { ...role, rules: [...role.rules, rule] })
  const folder = join(one.folder, 'chart')
  for (const part of ['templates', 'crds']) mkdirSync(join(folder, part), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const value = async () =>
    (await one.kubectl(...at, 'get', 'zaaktype', 'zaken', '-o', 'jsonpath={.spec.kleur}')).trim()
  await until('it to be served', patience, async () =>
    /zaaktypes/.test(await one.kubectl('api-resources', '--no-headers')) ? true : undefined,
  )
  t.match(
    await one.helm(...at, 'install', 'zaken', folder, '--wait', '--skip-crds', '--timeout', '90s'),
    'STATUS: deployed',
  )
  t.equal(await value(), 'rood')
  t.match(await one.kubectl(...at, 'get', 'cm', 'zaken-na', '-o', 'name'), 'configmap/zaken-na', 'the hook ran')
  t.match(await one.helm(...at, 'upgrade', 'zaken', folder, '--skip-crds', '--set', 'kleur=blauw'), 'been upgraded')
  t.equal(await value(), 'blauw')
  t.match(await one.helm(...at, 'rollback', 'zaken', '1', '--wait'), 'Rollback was a success')
  t.equal(await value(), 'rood')
  t.match(await one.helm(...at, 'uninstall', 'zaken', '--wait'), 'uninstalled')
  await t.rejects(one.kubectl(...at, 'get', 'zaaktype', 'zaken'), /not found/)
  await one.given(pod('zichtbaar'), ...at, 'apply', '-f', '-')
  const watching = one.begin('get', 'pods', '-A', '-w', '--no-headers')
  t.teardown(watching.end)
  await until('what there is', patience, () => /zichtbaar/.test(watching.said()) || undefined)
  await one.given(pod('later'), '-n', 'kiss', 'apply', '-f', '-')
  await until('what comes elsewhere', patience, () => /kiss +later/.test(watching.said()) || undefined)
}

const inform: Chapter = async (t, { one, at: cluster, agents }) => {
  const path = '/api/v1/configmaps?labelSelector=volg%3Dja'
  const write = (name: string, nummer: number, namespace: string) =>
    one.given(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace, labels: { volg: 'ja' } },
        data: { nummer: String(nummer) },
      },
      'apply',
      '-f',
      '-',
    )
  for (const namespace of ['open-zaak', 'kiss']) for (const n of [1, 2, 3]) await write(`w${n}`, 0, namespace)
  const reflector = startReflector(one, path)
  t.teardown(reflector.stop)
  const isSame = async () => {
    const lines = (items: Iterable<any>) =>
      [...items].map(({ metadata, data }) => `${metadata.namespace}/${metadata.name} ${metadata.uid} ${data.nummer}`)
    const standing: any[] = []
    for (const [site, namespace] of [
      ['amersfoort', 'open-zaak'],
      ['breda', 'kiss'],
    ] as const) {
      const list = await cluster(site).read<any>(`/api/v1/namespaces/${namespace}/configmaps?labelSelector=volg%3Dja`)
      standing.push(...(list?.items ?? []))
    }
    return lines(standing).sort().join('\n') === lines(reflector.known.values()).sort().join('\n') || undefined
  }
  await until('it to know all', patience, isSame)

  const breda = agents.get('breda')
  await breda?.end('SIGKILL')
  for (const n of [1, 2, 3]) await write(`w${n}`, 1, 'open-zaak')
  await cluster('breda').kubectl('-n', 'kiss', 'delete', 'cm', 'w1')
  await cluster('breda').kubectl('-n', 'kiss', 'patch', 'cm', 'w2', '-p', '{"data":{"nummer":"2"}}')
  await until(
    'the other to go on',
    patience,
    () => reflector.known.get('open-zaak/w3')?.data.nummer === '1' || undefined,
  )
  t.equal(reflector.known.get('kiss/w2')?.data.nummer, '0', 'what is cut is neither forgotten nor guessed at')
  breda?.start()
  await until('all again, after the agent was away', patience, isSame)
  t.equal(reflector.lists, 1, 'nothing was lost, so nothing was listed anew')

  await cluster('breda').kill('apiserver')
  for (const n of [1, 2]) await write(`w${n}`, 3, 'open-zaak')
  await cluster('breda').restart()
  await write('w4', 4, 'kiss')
  await cluster('breda').kubectl('-n', 'kiss', 'delete', 'cm', 'w3')
  await until('all again, after the cluster was away', patience, isSame)
  t.same(reflector.faults, [], 'nothing twice, nothing out of the blue, no version that goes back')
}

/** The product moves nothing yet: the rows are changed as scheduling would, old place and claim out, new ones in. */
const moves: Chapter = async (t, { one, kit, at: cluster }) => {
  const { items } = (await one.get('hostings')).body
  const { id } = items.find(({ name }: any) => name === 'kiss')
  const path = '/api/v1/configmaps'
  const reflector = startReflector(one, path)
  t.teardown(reflector.stop)
  await until('it to know of the old site', patience, () => reflector.known.has('kiss/w2') || undefined)
  const placement = newId('plc', kit.clock, kit.random)
  await kit.database.transaction(async (sql) => {
    const [old] = await sql.query<{ id: string }>(
      `update placements set role = 'standby', wanted = 'removed'
       where hosting_id = $1 and role = 'primary' and wanted <> 'released' returning id`,
      [id],
    )
    await sql.query(
      `insert into placements (id, hosting_id, datacenter_id, role, epoch, witness, wanted, created_at)
       select $1, p.hosting_id, d.id, 'primary', p.epoch + 1, p.witness, 'present', now()
       from placements p, datacenters d where p.id = $2 and d.slug = 'zwolle'`,
      [placement, old?.id],
    )
    await sql.query(
      `insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, starts_at, ends_at, created_at)
       select $1, p.id, p.hosting_id, p.datacenter_id, c.kind, c.domains, c.amounts, c.starts_at, c.ends_at, now()
       from claims c, placements p where c.placement_id = $2 and c.released_at is null and p.id = $3`,
      [newId('clm', kit.clock, kit.random), old?.id, placement],
    )
  })
  await until('the namespace to stand elsewhere', patience, async () =>
    (await cluster('zwolle').read('/api/v1/namespaces/kiss')) ? true : undefined,
  )
  await until('it to be told', patience, async () =>
    /zwolle/.test(await one.kubectl('get', 'ns', 'kiss', '-o', 'wide')) ? true : undefined,
  )
  const made = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'nieuw', namespace: 'kiss' } }
  await until('the same kubeconfig to work there', patience, async () =>
    /created|unchanged/.test(await one.given(made, 'apply', '-f', '-')) ? true : undefined,
  )
  t.ok(await cluster('zwolle').read('/api/v1/namespaces/kiss/configmaps/nieuw'))
  await until('who watches to see it', patience, () => reflector.known.has('kiss/nieuw') || undefined)
  t.notOk(reflector.known.has('kiss/w2'), 'and nothing of the old site')
  t.ok(reflector.lists >= 2, 'because the watch ended with 410')
  t.same(reflector.faults, [])
  await until('the old site to be empty', patience, async () =>
    (await cluster('breda').read('/api/v1/namespaces/kiss')) === undefined ? true : undefined,
  )
}

/** The agent's token for its cluster and its private key, in the forms in which they could be told. */
const secrets: Chapter = async (t, { one, at: cluster, agents, tap }) => {
  for (const path of [
    '/version',
    '/api/v1/namespaces/open-zaak/pods?x=%ff',
    '/api/v1/namespaces/open-zaak/pods/web/log',
  ])
    await one.call('GET', path)
  await one.call('POST', '/api/v1/namespaces/open-zaak/pods', { body: { authorization: 'x' } })
  const { token } = parse(cluster('amersfoort').kubeconfigOf('broker')).users[0].user
  const key = JSON.parse(readFileSync(agents.get('amersfoort')?.kept ?? '', 'utf8')).key as string
  const body = key.split('\n').slice(1, -2).join('')
  const sent = tap().sent()
  const has = (word: string | Buffer) => sent.some((bytes) => bytes.includes(word))
  t.ok(sent.reduce((sum, { length }) => sum + length, 0) > 100_000, 'much has passed')
  t.ok(has(logged), 'of logs too')
  t.ok(has('hallo\n'), 'and of sessions')
  t.ok(has('HTTP/1.1 101 Switching Protocols'))
  t.ok(has('BEGIN CERTIFICATE REQUEST'), 'and of joining')
  for (const secret of [token, body, key.split('\n')[1] ?? '']) {
    t.ok(secret.length >= 16)
    t.notOk(has(secret))
    t.notOk(has(Buffer.from(secret).toString('base64').slice(0, -4)))
  }
  t.notOk(sent.some((bytes) => /BEGIN [A-Z ]*PRIVATE KEY/.test(bytes.toString('latin1'))))
  t.notOk(sent.some((bytes) => /authorization: *bearer/i.test(bytes.toString('latin1'))))
}

const chapters: Record<string, Chapter> = {
  'logs, attach, exec, cp and port-forward': sessions,
  'a chart with hooks and a kind of its own': chart,
  'what a controller knows while a datacenter is cut and returns': inform,
  'a hosting that moves under a kubeconfig that stays': moves,
  'what the agent keeps to itself': secrets,
}

t.test('the gateway before three datacenters by their agents', { skip }, async (t) => {
  const folder = temporaryFolder('kubelet')
  t.teardown(folder.remove)
  writeFileSync(join(folder.path, 'log'), logLine(logged))
  const web = await startWeb()
  t.teardown(() => web.closeAllConnections())
  t.teardown(() => web.close())
  const agents = new Map<Site, AgentProcess>()
  let tap: Wiretap | undefined
  const stage = await setGatewayStage(t, 'agent', {
    discoveryBelievedMs: 2_000,
    sites,
    played: played(folder.path, (web.address() as AddressInfo).port),
    agent: async (site, joinToken, cluster, { url }) => {
      const plain = createAgentProcess(t, cluster, url)
      if (site !== 'amersfoort') {
        agents.set(site, plain)
        return plain.start(joinToken)
      }
      // Its key is read where it keeps it, and its way to the desk leads by the wiretap.
      let kept = ''
      tap = await startWiretap(url, () => kept)
      t.teardown(tap.close)
      const agent = createAgentProcess(t, cluster, tap.url)
      kept = agent.kept
      agents.set(site, agent)
      agent.start(joinToken)
    },
  })
  const one = await stage.tenant(stage.consumer)
  await Promise.all([stage.host(one, 'open-zaak', 'amersfoort'), stage.host(one, 'kiss', 'breda')])
  await stage.host(one, 'zac', 'zwolle')
  const story = { ...stage, one, agents, folder: folder.path, tap: () => tap as Wiretap }
  for (const [name, chapter] of Object.entries(chapters)) await t.test(name, (t) => chapter(t, story))
})

async function startWeb(): Promise<Server> {
  const server = createServer((request, response) => response.end(`antwoord ${request.url}`))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return server
}
