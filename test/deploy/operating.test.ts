/** The commands and values of docs/operating.md, as a reader would take them: a cluster is connected, the chart renders. */
import { execFile } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { parse } from 'yaml'
import { root } from '../../scripts/sources.ts'
import { checkCluster } from '../../services/broker/clusters/checks.ts'
import { acceptKubeconfig, clusterOf, openClient } from '../../services/broker/clusters/connect.ts'
import type { NodeLike } from '../../services/broker/clusters/core/inventory.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { readConfig } from '../../services/shared/config.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { buildPrograms } from '../clusters/build.ts'
import { missingForClusters, startClusters } from '../clusters/start.ts'
import { temporaryFolder } from '../support/folder.ts'
import { codeUnder } from '../support/operating.ts'
import { deploymentOf, environmentOf, ofKind, startHelm } from './helm.ts'

t.setTimeout(45 * 60_000)
const skip = (await missingForClusters()) ?? false

const folder = temporaryFolder('operating')
t.teardown(() => folder.remove())

t.test('the values of the example make a broker and a gateway that start', { skip }, async (t) => {
  const helm = await startHelm(folder.path)
  const objects = await helm.template(parse(codeUnder('Install it, step by step', 'yaml', 'repository')))
  const secrets = {
    'gemeentecloud-keys': {
      'encryption-key': Buffer.from(systemRandom.bytes(32)).toString('base64'),
      'bootstrap-token': Buffer.from(systemRandom.bytes(32)).toString('hex'),
    },
    'gemeentecloud-database': { uri: 'postgres://gemeentecloud:x@db.example:5432/gemeentecloud?sslmode=verify-full' },
  }
  for (const container of ['broker', 'gateway']) {
    const read = readConfig(environmentOf(objects, secrets, container))
    t.same(read.ok ? [] : read.errors, [], container)
  }
  t.equal(ofKind(objects, 'Ingress').length, 1)
  const commands = codeUnder('Install it, step by step', 'sh', 'create secret')
  for (const [name, keys] of Object.entries(secrets)) {
    t.match(commands, `create secret generic ${name} `)
    for (const key of Object.keys(keys)) t.match(commands, `--from-literal=${key}=`)
  }
  const { volumes } = deploymentOf(objects, 'gateway').spec.template.spec
  t.match(commands, `create secret tls ${volumes[0].secret.secretName} `)
  const services = ofKind(objects, 'Service').map(({ metadata }) => metadata.name)
  for (const name of ['gemeentecloud-tunnel', 'gemeentecloud-gateway']) t.ok(services.includes(name), name)
})

t.test('the commands of the example make a kubeconfig that the broker accepts', { skip }, async (t) => {
  const { there: cluster } = await startClusters(t, [
    { name: 'there', nodes: [{ name: 'a', cpu: '4', memory: '8Gi' }] },
  ])
  const { kubectl } = await buildPrograms()
  symlinkSync(kubectl, join(folder.path, 'kubectl'))
  symlinkSync(join(root, 'docs'), join(folder.path, 'docs'))
  writeFileSync(join(folder.path, 'admin.yaml'), cluster.kubeconfig, { mode: 0o600 })
  const env = {
    PATH: `${folder.path}${delimiter}${process.env.PATH}`,
    HOME: folder.path,
    KUBECONFIG: join(folder.path, 'admin.yaml'),
  }
  const script = codeUnder('Connect a cluster', 'sh', 'kubectl apply')
  await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder.path, env })

  const loopback = { allowedAddresses: ['127.0.0.0/8'] }
  const connection = await acceptKubeconfig(readFileSync(join(folder.path, 'broker.yaml'), 'utf8'), loopback)
  const opened = clusterOf(await openClient(connection, { clock: systemClock, random: systemRandom }, loopback))
  t.teardown(() => opened.close())
  const nodes = await cluster.read<{ items: NodeLike[] }>('/api/v1/nodes')
  t.same(await checkCluster(opened, await opened.version(), nodes?.items ?? []), [], 'nothing it needs is missing')

  const account = 'system:serviceaccount:gemeentecloud-access:broker'
  for (const [verb, what] of [
    ['get', 'secrets'],
    ['create', 'pods'],
    ['create', 'clusterrolebindings'],
    ['bind', 'clusterroles/cluster-admin'],
    ['bind', 'clusterroles/edit'],
  ] as const) {
    const asked = cluster.kubectl('auth', 'can-i', verb, what, '--as', account, '--all-namespaces')
    await t.rejects(asked, Error, `it may not ${verb} ${what}`)
  }
  t.match(await cluster.kubectl('auth', 'can-i', 'bind', 'clusterroles/gemeentecloud-tenant', '--as', account), /^yes/)
})
