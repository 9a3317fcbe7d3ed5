/** The chart of the agent: what it renders, the rights that it takes, and what it refuses to be without. */
import { join } from 'node:path'
import t from 'tap'
import { root } from '../../scripts/sources.ts'
import { readAgentConfig } from '../../services/agent/config.ts'
import { fallbackRights } from '../../services/agent/fallback/rights.ts'
import { neededRights, usefulRights } from '../../services/broker/clusters/checks.ts'
import { tenantRole, tenantRoleReasons } from '../../services/broker/clusters/core/tenant.ts'
import { missingForClusters } from '../clusters/start.ts'
import { clusterAccess, veleroAccess } from '../support/cluster-access.ts'
import { temporaryFolder } from '../support/folder.ts'
import { readDockerfile, textsOf } from './dockerfile.ts'
import { ofKind, startHelm } from './helm.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const chart = join(root, 'charts/gemeentecloud-agent')
const folder = temporaryFolder('agent-chart')
t.teardown(() => folder.remove())

const token = `gcj_${'0'.repeat(52)}`
const least = { image: { repository: 'registry.test/gemeentecloud' }, desk: { url: 'https://desk.test' } }
const given = { ...least, joinToken: { value: token } }
const full = {
  ...least,
  replicas: 3,
  joinToken: { existingSecret: { name: 'join-token' } },
  gateway: { enabled: false },
  logLevel: 'debug',
  trustedCertificates: { configMap: 'pkioverheid' },
  imagePullSecrets: ['registry'],
  podLabels: { team: 'beheer' },
}

t.test('the chart of the agent', { skip }, async (t) => {
  const helm = await startHelm(folder.path, chart)
  await t.test('passes the linter, and says what is missing', async (t) => {
    for (const [name, values] of Object.entries({ least, given, full })) {
      t.match(await helm.run('lint', '--strict', chart, '--values', helm.file(name, values)), '0 chart(s) failed', name)
    }
    await t.rejects(helm.template({ ...least, image: {} }), /image\.repository is needed/)
    await t.rejects(helm.template({ ...least, desk: {} }), /desk\.url is needed/)
    await t.rejects(helm.template({ ...least, desk: { url: 'http://desk.test' } }), /desk\/url|desk\.url/)
  })

  await t.test('is an environment that the agent accepts, with its token in a Secret alone', async (t) => {
    const objects = await helm.template(given, 'gemeentecloud-agent')
    const [container] = ofKind(objects, 'Deployment')[0].spec.template.spec.containers
    const known: Record<string, string> = { POD_NAME: 'agent-1', POD_NAMESPACE: 'loket', JOIN_TOKEN: token }
    const environment = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value?: string }) => [name, value ?? known[name]]),
    )
    const read = readAgentConfig(environment)
    t.match(read, {
      ok: true,
      config: { desk: 'https://desk.test', joinToken: token, pod: { release: 'gemeentecloud-agent' } },
    })
    t.notMatch(JSON.stringify(objects.filter(({ kind }) => kind !== 'Secret')), token)
    const [secret] = ofKind(objects, 'Secret')
    t.equal(Buffer.from(secret.data.token, 'base64').toString(), token)
    const reference = container.env.find(({ name }: { name: string }) => name === 'JOIN_TOKEN').valueFrom.secretKeyRef
    t.match(reference, { name: secret.metadata.name, key: 'token', optional: true })
    const copied = readDockerfile()
      .flatMap((stage) => textsOf(stage, 'COPY'))
      .join('\n')
    t.match(copied, 'services/agent', 'the image has the program')
    t.match(copied, 'services/tunnel')
  })

  await t.test('takes the rights that the desk needs, its own Secret and Lease, and no more', async (t) => {
    const objects = await helm.template(full, 'gemeentecloud-agent')
    const roles = ofKind(objects, 'ClusterRole')
    const rights = roles
      .find(({ metadata }) => metadata.name === 'gemeentecloud-agent')
      .rules.flatMap(({ apiGroups, resources, resourceNames = ['*'], verbs }: any) =>
        apiGroups.flatMap((group: string) =>
          resources.flatMap((resource: string) =>
            resourceNames.flatMap((name: string) =>
              verbs.map((verb: string) => `${verb} ${group}/${resource}/${name}`),
            ),
          ),
        ),
      )
    const needed = [...neededRights, ...usefulRights].flatMap(({ group, resource, name = '*', verbs }) =>
      verbs.map((verb) => `${verb} ${group}/${resource}/${name}`),
    )
    t.same(rights.toSorted(), needed.toSorted())
    const tenant = roles.find(({ metadata }) => metadata.name === tenantRole)
    t.same(tenantRoleReasons(tenant), [])
    t.same(tenant.rules, clusterAccess(tenantRole)?.['rules'], 'as the documentation has it')
    t.notMatch(JSON.stringify(objects), /system:|cluster-admin|"\*"|escalate/)
    const own = ofKind(objects, 'Role')[0].rules.filter(({ verbs }: any) => !verbs.includes('create'))
    for (const { resourceNames } of own) t.match(String(resourceNames), /^gemeentecloud-agent(-fallback)?$/)
    const acting = (await helm.template(given)).find(
      ({ kind, rules }) => kind === 'ClusterRole' && /impersonate/.test(JSON.stringify(rules)),
    )
    t.ok(acting, 'acts for members of parties unless that is turned off')
  })

  await t.test(
    'has no rights to Velero, unless it is told to: then those of the documentation, in its namespace',
    async (t) => {
      t.notMatch(JSON.stringify(await helm.template(given)), 'velero')
      const objects = await helm.template({ ...given, velero: { enabled: true } }, 'gemeentecloud-agent')
      const role = ofKind(objects, 'Role').find(({ metadata }) => metadata.namespace === 'velero')
      t.same(role.rules, veleroAccess()?.['rules'])
      const binding = ofKind(objects, 'RoleBinding').find(({ metadata }) => metadata.namespace === 'velero')
      t.match(binding, {
        roleRef: { kind: 'Role', name: role.metadata.name },
        subjects: [{ kind: 'ServiceAccount', name: 'gemeentecloud-agent' }],
      })
    },
  )

  await t.test(
    'takes the rights that failover needs, and no more; turned off it takes none and takes no part',
    async (t) => {
      const objects = await helm.template(least, 'gemeentecloud-agent')
      const { rules } = ofKind(objects, 'ClusterRole').find(({ metadata }) => metadata.name.endsWith('-fallback'))
      const granted = rules.flatMap(({ apiGroups: [group], resources, verbs }: any) =>
        resources.map((resource: string) => ({ group, resource, verbs })),
      )
      t.same(granted, fallbackRights)
      const off = await helm.template({ ...least, fallback: { enabled: false } }, 'gemeentecloud-agent')
      t.notMatch(JSON.stringify(off), 'agent-fallback')
      const read = (objects: any[]) => {
        const [container] = ofKind(objects, 'Deployment')[0].spec.template.spec.containers
        const known: Record<string, string> = { POD_NAME: 'agent-1', POD_NAMESPACE: 'loket', POD_IP: '10.0.0.7' }
        return readAgentConfig(
          Object.fromEntries(container.env.map(({ name, value }: any) => [name, value ?? known[name]])),
        )
      }
      t.match(read(objects), { ok: true, config: { fallback: true, peers: undefined } })
      t.match(read(off), { ok: true, config: { fallback: false } })
      await t.rejects(
        helm.template({ ...least, fallback: { enabled: false }, guard: { enabled: true, gate: { enabled: false } } }),
        /guards ask/,
      )

      const peers = { enabled: true, address: 'uitwijk.test:443' }
      await t.rejects(helm.template({ ...least, fallback: { peers: { enabled: true } } }), /peers\.address is needed/)
      const open = await helm.template({ ...least, fallback: { peers } }, 'gemeentecloud-agent')
      t.match(read(open), {
        ok: true,
        config: { pod: { address: '10.0.0.7' }, peers: { port: 8084, address: 'uitwijk.test:443' } },
      })
      const [service] = ofKind(open, 'Service')
      t.match(service, { metadata: { name: 'gemeentecloud-agent-peers' }, spec: { ports: [{ port: 8084 }] } })
      t.equal(service.spec.selector, undefined, 'the active agent writes itself behind it')
      const ports = ofKind(open, 'NetworkPolicy')[0].spec.ingress.flatMap(({ ports }: any) => ports)
      t.same(ports, [
        { protocol: 'TCP', port: 8081 },
        { protocol: 'TCP', port: 8084 },
      ])
    },
  )

  await t.test('runs restricted, twice, opens nothing but its metrics, and is ready when connected', async (t) => {
    const objects = await helm.template(full)
    const { spec } = ofKind(objects, 'Deployment')[0].spec.template
    t.match(spec, {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          command: ['node', 'services/agent/main.ts'],
          readinessProbe: { httpGet: { path: '/readyz' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    })
    t.same(ofKind(objects, 'Service'), [])
    t.same(ofKind(objects, 'Ingress'), [])
    const [policy] = ofKind(objects, 'NetworkPolicy')
    t.same(
      policy.spec.ingress.flatMap(({ ports }: any) => ports),
      [{ protocol: 'TCP', port: 8081 }],
    )
    t.equal(ofKind(objects, 'PodDisruptionBudget')[0].spec.maxUnavailable, 1)
    t.same(ofKind(await helm.template({ ...least, replicas: 1 }), 'PodDisruptionBudget'), [])
  })
})
