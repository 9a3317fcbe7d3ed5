/** The objects of a hosting at its standby, on two real clusters: all that is a tenant's, asleep, and nothing that is not. */
import t, { type Test } from 'tap'
import { configMap, deployment, oneOfEach, pathOf, secret } from './mirror-objects.ts'
import { type Mirrored, type MirrorStage, patience, setMirrorStage } from './mirror-stage.ts'
import type { Cluster } from './start.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(45 * 60_000)
const skip = (await missingForClusters()) ?? false

interface Story extends MirrorStage {
  readonly zaak: Mirrored
}

type Chapter = (t: Test, story: Story) => Promise<void>

const at = pathOf('open-zaak')
const source = 'gemeentecloud.nl/mirrored-from'

const comesAsleep: Chapter = async (t, { zaak: { primary, standby } }) => {
  await primary.apply(...oneOfEach('open-zaak'))
  const ingress = await until('the last of them', patience, () => standby.read<any>(`${at.ingress}/web`))
  const original = await primary.read<any>('/api/v1/namespaces/open-zaak')
  t.match(ingress.metadata.annotations[source], new RegExp(`^${original.metadata.uid}/`))
  t.equal(ingress.spec.rules[0].host, 'zaken.example')
  t.match(await standby.read(`${at.deployment}/web`), {
    metadata: { annotations: { 'gemeentecloud.nl/replicas': '2' } },
    spec: { replicas: 0 },
  })
  t.match(await standby.read(`${at.statefulSet}/db`), { spec: { replicas: 0, serviceName: 'peers' } })
  t.match(await standby.read(`${at.cronJob}/nightly`), {
    metadata: { annotations: { 'gemeentecloud.nl/suspend': 'false' } },
    spec: { suspend: true },
  })
  const here = await primary.read<any>(`${at.service}/web`)
  const there = await standby.read<any>(`${at.service}/web`)
  t.same(there.spec.ports, here.spec.ports)
  t.ok(there.spec.clusterIP, 'an address of its own cluster')
  t.match(await standby.read(`${at.service}/peers`), { spec: { clusterIP: 'None' } })
  t.equal((await standby.read<any>(`${at.secret}/password`)).data.text, Buffer.from('geheim').toString('base64'))
  t.match(await standby.read(`${at.claim}/data`), { spec: { storageClassName: 'snel', volumeName: undefined } })
  for (const path of [
    `${at.serviceAccount}/web`,
    `${at.autoscaler}/web`,
    `${at.budget}/web`,
    `${at.configMap}/settings`,
  ])
    t.ok(await standby.read(path), path)
  t.same((await standby.read<any>('/api/v1/namespaces/open-zaak/pods')).items, [], 'nothing runs')
}

const core = '/api/v1/namespaces/open-zaak'
const textOf = async (cluster: Cluster, name: string) =>
  (await cluster.read<any>(`${at.configMap}/${name}`))?.data.text as string | undefined
/** What is applied now has come, so what was applied before it has been looked at. */
async function marked({ primary, standby }: Mirrored, name: string): Promise<void> {
  await primary.apply(configMap('open-zaak', name, 'nu'))
  await until(`${name} to come`, patience, async () => (await textOf(standby, name)) === 'nu' || undefined)
}
const mirrorRow = async ({ kit }: MirrorStage, { id }: Mirrored) =>
  (await kit.database.query<any>('select * from mirrors where hosting_id = $1', [id]))[0]
/** Names and versions of all ConfigMaps and Secrets. */
async function standing(cluster: Cluster): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const path of [at.configMap, at.secret])
    for (const { metadata } of (await cluster.read<any>(path)).items)
      found.set(`${path}/${metadata.name}`, `${metadata.uid} ${metadata.resourceVersion}`)
  return found
}

const foreignStays: Chapter = async (t, { zaak }) => {
  const { primary, standby } = zaak
  const before = await standby.read<any>(`${at.configMap}/kube-root-ca.crt`)
  const of = (apiVersion: string, kind: string, name: string, body: object, metadata: object = {}) => ({
    apiVersion,
    kind,
    metadata: { name, namespace: 'open-zaak', ...metadata },
    ...body,
  })
  const rbac = 'rbac.authorization.k8s.io'
  await primary.apply(
    of(
      'v1',
      'Secret',
      'web-token',
      { type: 'kubernetes.io/service-account-token' },
      {
        annotations: { 'kubernetes.io/service-account.name': 'web' },
      },
    ),
    of(`${rbac}/v1`, 'RoleBinding', 'eigen', {
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'open-zaak' }],
    }),
    of('networking.k8s.io/v1', 'NetworkPolicy', 'eigen', { spec: { podSelector: {}, ingress: [{}] } }),
  )
  await marked(zaak, 'na-vreemd')
  t.equal(await standby.read(`${at.secret}/web-token`), undefined, 'a token is worth something in one cluster')
  t.equal(await standby.read(`/apis/${rbac}/v1/namespaces/open-zaak/rolebindings/eigen`), undefined, 'nor are rights')
  t.equal(await standby.read('/apis/networking.k8s.io/v1/namespaces/open-zaak/networkpolicies/eigen'), undefined)
  t.same((await standby.read<any>(`${at.configMap}/kube-root-ca.crt`)).metadata, before.metadata)
}

const manyComeAndGo: Chapter = async (t, { zaak, restart }) => {
  const { primary, standby } = zaak
  const numbers = Array.from({ length: 100 }, (_, index) => index)
  const all = (text: string) => [
    ...numbers.map((n) => configMap('open-zaak', `map-${n}`, `${text} ${n}`)),
    ...numbers.map((n) => secret('open-zaak', `secret-${n}`, `${text} ${n}`)),
  ]
  const secretOf = async (cluster: Cluster, n: number) =>
    Buffer.from((await cluster.read<any>(`${at.secret}/secret-${n}`))?.data.text ?? '', 'base64').toString()
  const isAll = async (text: string) => {
    const maps = (await standby.read<any>(at.configMap)).items
    const secrets = (await standby.read<any>(at.secret)).items
    const says = (items: any[], name: string, value: string) =>
      items.some(({ metadata, data }) => metadata.name === name && data.text === value)
    return numbers.every(
      (n) =>
        says(maps, `map-${n}`, `${text} ${n}`) &&
        says(secrets, `secret-${n}`, Buffer.from(`${text} ${n}`).toString('base64')),
    )
  }
  // The desk is ended and started in the midst of it: whatever was under way is begun anew.
  const applied = primary.apply(...all('een'))
  for (let times = 0; times < 3; times++) await restart()
  await applied
  await until('200 objects to come', patience, async () => (await isAll('een')) || undefined)
  const before = await standing(standby)
  await restart()
  await marked(zaak, 'na-herstart')
  const after = await standing(standby)
  after.delete(`${at.configMap}/na-herstart`)
  t.same(after, before, 'what is the same was not written again')

  await primary.apply(...all('twee'))
  await until('200 changes to come', patience, async () => (await isAll('twee')) || undefined)
  t.equal(await secretOf(standby, 99), 'twee 99')
  await primary.kubectl('-n', 'open-zaak', 'delete', 'configmap', ...numbers.slice(0, 50).map((n) => `map-${n}`))
  await until('50 to go', patience, async () => {
    const { items } = await standby.read<any>(at.configMap)
    return items.filter(({ metadata }: any) => metadata.name.startsWith('map-')).length === 50 || undefined
  })
  t.equal((await standby.read<any>(at.secret)).items.length >= 100, true, 'and no more than those')
}

const kindsOfOperators: Chapter = async (t, { zaak, restart, ...stage }) => {
  const { primary, standby } = zaak
  const crd = (plural: string, kind: string) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.proef.example` },
    spec: {
      group: 'proef.example',
      scope: 'Namespaced',
      names: { plural, singular: plural.slice(0, -1), kind },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  })
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'proef-tenant' },
    rules: [{ apiGroups: ['proef.example'], resources: ['*'], verbs: ['*'] }],
  }
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'proef', namespace: 'open-zaak' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'proef-tenant' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `gc:${stage.consumer.id}:consumer` }],
  }
  await primary.apply(crd('bekers', 'Beker'), crd('vazen', 'Vaas'), role, binding)
  await standby.apply(crd('bekers', 'Beker'), role, binding)
  const of = (kind: string) => ({
    apiVersion: 'proef.example/v1',
    kind,
    metadata: { name: 'een', namespace: 'open-zaak' },
    spec: { kleur: 'blauw' },
  })
  const path = '/apis/proef.example/v1/namespaces/open-zaak'
  await until('the kinds to be served', patience, async () => {
    await primary.apply(of('Beker'), of('Vaas'))
    return (await standby.read(`${path}/bekers`)) as object | undefined
  })
  // It looks again every five minutes what is served; it does so when it starts too.
  await restart()
  t.match(await until('the custom resource', patience, () => standby.read(`${path}/bekers/een`)), {
    spec: { kleur: 'blauw' },
  })
  const row = await until('the unknown kind to be told', patience, async () => {
    const found = await mirrorRow({ restart, ...stage } as MirrorStage, zaak)
    return found?.differences.length > 0 ? found : undefined
  })
  t.same(row.differences, [{ kind: 'Vaas', name: '*', what: 'unknown-there' }])
  await primary.kubectl('-n', 'open-zaak', 'delete', 'vazen', 'een')
}

const standbyAway: Chapter = async (t, story) => {
  const { zaak, metrics } = story
  const { primary, standby } = zaak
  await standby.kill()
  await primary.apply(configMap('open-zaak', 'settings', 'terwijl weg'))
  await primary.kubectl('-n', 'open-zaak', 'delete', 'secret', 'secret-0')
  const line = /gemeentecloud_mirror_lag_seconds\{hosting="open-zaak"\} ([0-9.]+)/
  const lag = await until('the lag to be told', patience, async () => {
    const seconds = Number(line.exec(await metrics())?.[1] ?? 0)
    return seconds > 5 ? seconds : undefined
  })
  t.ok(lag > 5)
  t.match(await mirrorRow(story, zaak), { behind_since: Date, problem: String })
  await standby.restart()
  await until('the change', patience, async () => (await textOf(standby, 'settings')) === 'terwijl weg' || undefined)
  await until(
    'the deletion',
    patience,
    async () => (await standby.read(`${at.secret}/secret-0`)) === undefined || undefined,
  )
  await until('nothing to be behind', patience, async () => !line.test(await metrics()) || undefined)
}

const activeAway: Chapter = async (t, story) => {
  const { zaak } = story
  const { primary, standby } = zaak
  const before = await standing(standby)
  await primary.kill()
  await until('it to be told', patience, async () => {
    const row = await mirrorRow(story, zaak)
    return (row.behind_since !== null && row.problem !== null) || undefined
  })
  t.same(await standing(standby), before, 'what does not answer takes nothing away')
  await primary.restart()
  await until(
    'it to be whole again',
    patience,
    async () => (await mirrorRow(story, zaak)).behind_since === null || undefined,
  )
  await marked(zaak, 'weer-terug')
  const after = await standing(standby)
  after.delete(`${at.configMap}/weer-terug`)
  t.same(after, before)
}

const namespaceMadeAnew: Chapter = async (t, story) => {
  const { zaak } = story
  const { primary, standby } = zaak
  const { uid } = (await primary.read<any>(core)).metadata
  const before = await standing(standby)
  await primary.kubectl('delete', 'namespace', 'open-zaak')
  await until('the desk to make it anew', patience, async () => {
    const found = await primary.read<any>(core)
    return (found && found.metadata.uid !== uid) || undefined
  })
  await until('what is only there to be told', patience, async () => {
    const row = await mirrorRow(story, zaak)
    return row.differences.some(({ what }: any) => what === 'only-there') || undefined
  })
  t.same(await standing(standby), before, 'who deletes a namespace by mistake has it all at the standby')

  await primary.apply(configMap('open-zaak', 'settings', 'opnieuw'))
  await until('what came back', patience, async () => (await textOf(standby, 'settings')) === 'opnieuw' || undefined)
  await primary.kubectl('-n', 'open-zaak', 'delete', 'configmap', 'settings')
  await until('it to go', patience, async () => (await textOf(standby, 'settings')) === undefined || undefined)
  t.ok(await standby.read(`${at.configMap}/map-99`), 'and only that')
}

const directionFollowsRoles: Chapter = async (t, story) => {
  const { zaak, kit } = story
  const { primary: former, standby: active } = zaak
  await former.apply(configMap('open-zaak', 'both', 'van de eerste'))
  await until('it to come', patience, async () => (await textOf(active, 'both')) || undefined)
  await kit.database.transaction(async (sql) => {
    const set = (from: string, to: string) =>
      sql.query('update placements set role = $3 where hosting_id = $1 and role = $2', [zaak.id, from, to])
    await set('primary', 'former')
    await set('standby', 'primary')
    sql.hint('placements')
  })
  await active.apply(configMap('open-zaak', 'both', 'van de tweede'))
  await former.apply(configMap('open-zaak', 'both', 'te laat'), configMap('open-zaak', 'alleen-daar', 'te laat'))
  await marked({ ...zaak, primary: active, standby: active }, 'bij-de-tweede')
  t.equal(await textOf(active, 'both'), 'van de tweede', 'nothing of the former site overwrites the active one')
  await kit.database.transaction(async (sql) => {
    await sql.query(`update placements set role = 'standby' where hosting_id = $1 and role = 'former'`, [zaak.id])
    sql.hint('placements')
  })
  await until(
    'it to be mirrored back',
    patience,
    async () => (await textOf(former, 'both')) === 'van de tweede' || undefined,
  )
  await until('what is only there to be told', patience, async () => {
    const { differences = [] } = (await mirrorRow(story, zaak)) ?? {}
    return differences.some(({ what, name }: any) => what === 'only-there' && name === 'alleen-daar') || undefined
  })
  t.equal(await textOf(former, 'alleen-daar'), 'te laat', 'what nobody copied is left')
  t.equal(await textOf(active, 'alleen-daar'), undefined)
}

const warmAndHot: Chapter = async (t, { host }) => {
  for (const [name, fallback, replicas] of [
    ['lauw', { mode: 'warm', warmReplicas: 1 }, 1],
    ['heet', { mode: 'hot' }, 3],
  ] as const) {
    const { primary, standby } = await host(name, 3, fallback)
    const path = `${pathOf(name).deployment}/web`
    await primary.apply(deployment(name, 'web', 3))
    const copy = await until('the copy', patience, () => standby.read<any>(path))
    t.match(copy, { spec: { replicas }, metadata: { annotations: { 'gemeentecloud.nl/replicas': '3' } } })
    await until(`${replicas} to run`, patience, async () => {
      const { items } = await standby.read<any>(`/api/v1/namespaces/${name}/pods`)
      return items.filter(({ status }: any) => status.phase === 'Running').length === replicas || undefined
    })
    await primary.kubectl('-n', name, 'scale', 'deployment', 'web', '--replicas=2')
    await until('the change', patience, async () => {
      const { metadata, spec } = await standby.read<any>(path)
      return (
        (metadata.annotations['gemeentecloud.nl/replicas'] === '2' && spec.replicas === Math.min(2, replicas)) ||
        undefined
      )
    })
    await standby.kubectl('-n', name, 'get', 'deployment', 'web')
  }
}

const chapters: Readonly<Record<string, Chapter>> = {
  'what a tenant applies comes to the standby, asleep': comesAsleep,
  'what is not of a tenant, or would give rights, stays': foreignStays,
  '200 objects come, change and go, while the desk is started again': manyComeAndGo,
  'kinds of operators come where they are known, and are told of where not': kindsOfOperators,
  'while the standby is away it falls behind, and catches up': standbyAway,
  'an active site that does not answer takes nothing away': activeAway,
  'nor does a namespace that was deleted': namespaceMadeAnew,
  'a warm standby runs a little, a hot one all': warmAndHot,
  'the direction follows the roles, and what only a site that comes back has is left': directionFollowsRoles,
}

t.test('the mirror on two clusters', { skip }, async (t) => {
  const stage = await setMirrorStage(t)
  const story: Story = { ...stage, zaak: await stage.host('open-zaak', 4, { mode: 'cold' }) }
  for (const [name, chapter] of Object.entries(chapters)) {
    if (t.passing()) await t.test(name, (t) => chapter(t, story))
  }
})
