/** docs/operating.md says what is so: every setting with its default, the rights in a cluster, the limits. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { neededRights, stoppingRights, usefulRights } from '../../services/broker/clusters/checks.ts'
import { objectCounts, tenantRole, tenantRoleReasons } from '../../services/broker/clusters/core/tenant.ts'
import { readConfig } from '../../services/shared/config.ts'
import { clusterAccess } from '../support/cluster-access.ts'
import { tableUnder } from '../support/operating.ts'
import { settingNames } from '../support/settings.ts'

t.test('every setting is in the table, and nothing else', async (t) => {
  const rows = tableUnder('Settings')
  t.same(rows.map(([name]) => name).sort(), settingNames().sort())
  const read = readConfig({})
  if (!read.ok) throw new Error(read.errors.join())
  const { host, port, managementPort, tunnel, gateway, dataDirectory, logLevel, desk, ceilings, limits } = read.config
  const defaults: Record<string, string> = {
    HOST: host,
    PORT: String(port),
    MANAGEMENT_PORT: String(managementPort),
    TUNNEL_PORT: String(tunnel.port),
    GATEWAY_PORT: String(gateway.port),
    GEMEENTECLOUD_DATA: dataDirectory,
    LOG_LEVEL: logLevel,
    LOKET_NAME: desk.name,
    LOKET_OIN: desk.oin,
    FALLBACK_PROFILE: read.config.fallbackProfile,
    MAX_HOSTINGS: String(ceilings.hostings),
    MAX_UNPLACED_HOSTINGS: String(ceilings.unplacedHostings),
    MAX_DATACENTERS: String(ceilings.datacenters),
    MAX_OFFERS: String(ceilings.offers),
    MAX_HOLDS: String(ceilings.holds),
    MAX_HOLD_MINUTES: String(ceilings.holdMinutes),
    MAX_CLUSTER_OBJECTS: String(limits.listObjects),
    MAX_CLUSTER_LIST_MIB: String(limits.listBytes / 2 ** 20),
    MAX_CLUSTER_LIST_SECONDS: String(limits.listMs / 1000),
  }
  for (const [name = '', said] of rows) t.equal(said, defaults[name] ?? '', `the default of ${name}`)
  t.same(
    [read.config.databaseUrl, read.config.encryptionKey, read.config.bootstrapToken],
    [undefined, undefined, undefined],
  )
})

t.test('each setting has the value of the chart that the table names', async (t) => {
  const page = readFileSync(new URL('../../charts/gemeentecloud/README.md', import.meta.url), 'utf8')
  for (const [name = '', , value = ''] of tableUnder('Settings'))
    if (value !== '') t.match(page, `| \`${value}\` |`, `${value} for ${name}`)
})

interface Rule {
  readonly apiGroups: string[]
  readonly resources: string[]
  readonly resourceNames?: string[]
  readonly verbs: string[]
}

const rulesOf = (role: string) => (clusterAccess(role)?.['rules'] ?? []) as readonly Rule[]

t.test('the rights of the example are those the broker asks for, and no more', async (t) => {
  const granted = rulesOf('gemeentecloud-broker').flatMap(({ apiGroups, resources, resourceNames = ['*'], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${resource}/${name}`)),
      ),
    ),
  )
  const asked = [...neededRights, ...usefulRights, ...stoppingRights].flatMap(
    ({ group, resource, name = '*', verbs }) => verbs.map((verb) => `${verb} ${group}/${resource}/${name}`),
  )
  t.same(granted.sort(), asked.sort())
})

t.test('tenants of the example may not undo their bounds, and all that they may make is counted', async (t) => {
  t.same(tenantRoleReasons(clusterAccess(tenantRole)), [])
  const made = rulesOf(tenantRole)
    .filter(({ verbs }) => verbs.includes('deletecollection'))
    .flatMap(({ apiGroups: [group = ''], resources }) => resources.map((name) => (group ? `${name}.${group}` : name)))
  // These two are counted by what was placed.
  t.same(made.sort(), [...Object.keys(objectCounts), 'pods', 'persistentvolumeclaims'].sort())
  const text = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
  for (const [what, count] of Object.entries(objectCounts))
    t.match(text, `| \`${what}\` | ${count.toLocaleString('en')} |`, what)
})
