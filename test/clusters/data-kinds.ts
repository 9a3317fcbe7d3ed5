/** The kinds of CloudNativePG, VolSync and Velero as far as the desk has to do with them; the tests play their operators. */

const unknown = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

function definition(group: string, version: string, kind: string, plural: string): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: plural.slice(0, -1), kind },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: unknown, status: unknown } } },
        },
      ],
    },
  }
}

/** What an operator of a datacenter installs, and grants its tenants. */
export const operators: readonly object[] = [
  definition('postgresql.cnpg.io', 'v1', 'Cluster', 'clusters'),
  definition('volsync.backube', 'v1alpha1', 'ReplicationSource', 'replicationsources'),
  definition('volsync.backube', 'v1alpha1', 'ReplicationDestination', 'replicationdestinations'),
  definition('velero.io', 'v1', 'Schedule', 'schedules'),
  definition('velero.io', 'v1', 'Backup', 'backups'),
  definition('velero.io', 'v1', 'Restore', 'restores'),
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'gemeentecloud-tenant-data' },
    rules: [{ apiGroups: ['postgresql.cnpg.io', 'volsync.backube'], resources: ['*'], verbs: ['*'] }],
  },
]

export const tenantMay = (namespace: string, partyId: string): object => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'data', namespace },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gemeentecloud-tenant-data' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `gc:${partyId}:consumer` }],
})

export const databaseCluster = (namespace: string): object => ({
  apiVersion: 'postgresql.cnpg.io/v1',
  kind: 'Cluster',
  metadata: { name: 'db', namespace },
  spec: {
    instances: 3,
    storage: { size: '1Gi' },
    bootstrap: { initdb: { database: 'zaak' } },
    plugins: [
      { name: 'barman-cloud.cloudnative-pg.io', isWALArchiver: true, parameters: { barmanObjectName: 'kopie' } },
    ],
  },
})
