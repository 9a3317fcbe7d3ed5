/**
 * What an object says wherever it stands: all that a cluster assigned is left out, and what a standby holds back is as it is
 * wanted. Of an object and its faithful copy the essence is the same.
 */
import { replicasAnnotation, suspendAnnotation, waitingReplicas, waitsAnnotation } from '../../../shared/held-back.ts'
import { groupOf, type Kind } from './kinds.ts'
import { sourceAnnotation } from './marks.ts'
import type { Metadata, MirroredObject } from './objects.ts'

export interface EssenceOptions {
  /** Whether the controller of this kind runs at the other site too, and makes there by itself what it makes here. */
  readonly isMadeThere: (owner: Kind) => boolean
  /** What comes to the other site in another way, as declared data does. */
  readonly isLeftOut: (object: Kind & { readonly metadata: { readonly name: string } }) => boolean
}

/** Undefined for what is no tenant's own: what the desk keeps, what a controller makes, what a cluster puts everywhere. */
export function essenceOf(
  object: MirroredObject,
  { isMadeThere, isLeftOut }: EssenceOptions,
): MirroredObject | undefined {
  if (isOurs(object) || isOfCluster(object) || isLeftOut(object)) return undefined
  const controller = object.metadata.ownerReferences?.find((owner) => owner.controller === true)
  if (controller && isMadeThere(controller)) return undefined
  const { metadata, status: _status, apiVersion, kind, ...body } = object
  return { apiVersion, kind, metadata: metadataOf(metadata), ...bodyOf(object, body) }
}

function isOurs({ metadata: { labels = {} } }: MirroredObject): boolean {
  return labels['app.kubernetes.io/managed-by'] === 'gemeentecloud' && labels['gemeentecloud.nl/hosting'] !== undefined
}

/** Put into every namespace by the cluster, by OpenShift or by Istio. */
const ofEveryNamespace = new Set(['kube-root-ca.crt', 'openshift-service-ca.crt', 'istio-ca-root-cert'])
/** Worth something in one cluster only. */
const ofOneCluster = new Set(['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'])

function isOfCluster(object: MirroredObject): boolean {
  const { kind, metadata } = object
  if (kind === 'ConfigMap') return ofEveryNamespace.has(metadata.name)
  if (kind === 'Secret') return ofOneCluster.has(String(object['type']))
  if (kind !== 'ServiceAccount' || metadata.name !== 'default') return false
  return object['imagePullSecrets'] === undefined && object['automountServiceAccountToken'] === undefined
}

/** Bookkeeping of controllers and of storage in one cluster, and our own marks. */
const assigned = [
  replicasAnnotation,
  suspendAnnotation,
  waitsAnnotation,
  sourceAnnotation,
  'deployment.kubernetes.io/revision',
  'deprecated.daemonset.template.generation',
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
  'pv.kubernetes.io/migrated-to',
  'volume.kubernetes.io/selected-node',
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-resizer',
]

function metadataOf({ name, namespace, labels, annotations = {} }: Metadata): Metadata {
  const kept = Object.entries(annotations).filter(([each]) => !assigned.includes(each))
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(labels && Object.keys(labels).length > 0 && { labels }),
    ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }),
  }
}

type Fields = Readonly<Record<string, unknown>>

function bodyOf({ apiVersion, kind, metadata }: MirroredObject, body: Fields): Fields {
  const spec = (body['spec'] ?? {}) as Fields
  const marks = metadata.annotations ?? {}
  switch (`${groupOf(apiVersion)}/${kind}`) {
    case '/Service':
      return { ...body, spec: serviceSpec(spec) }
    case '/ServiceAccount':
      return without(body, ['secrets'])
    case '/PersistentVolumeClaim':
      return { ...body, spec: without(spec, ['volumeName', 'dataSource', 'dataSourceRef']) }
    case 'apps/Deployment':
    case 'apps/StatefulSet':
      return { ...body, spec: { ...spec, replicas: wantedReplicas(spec, marks) } }
    case 'batch/CronJob':
      return { ...body, spec: { ...spec, suspend: wantedSuspend(spec, marks) } }
    default:
      return body
  }
}

/** What stands in the mark is what is wanted: a site that runs takes the mark off. */
function wantedReplicas(spec: Fields, marks: Readonly<Record<string, string>>): number {
  const waiting = waitingReplicas(marks, spec['replicas'])
  if (waiting !== undefined) return waiting
  const held = marks[replicasAnnotation]
  if (held !== undefined && /^\d{1,6}$/.test(held)) return Number(held)
  return typeof spec['replicas'] === 'number' ? spec['replicas'] : 1
}

function wantedSuspend(spec: Fields, marks: Readonly<Record<string, string>>): boolean {
  const held = marks[suspendAnnotation]
  return held === undefined ? spec['suspend'] === true : held === 'true'
}

/** Addresses and ports of nodes are given out by each cluster; that there is none (`None`) is the tenant's wish. */
function serviceSpec(spec: Fields): Fields {
  const given = ['clusterIP', 'clusterIPs', 'ipFamilies', 'healthCheckNodePort', 'loadBalancerIP']
  const isHeadless = spec['clusterIP'] === 'None'
  const isUsual = spec['ipFamilyPolicy'] === 'SingleStack'
  const ports = (spec['ports'] as readonly Fields[] | undefined)?.map((port) => without(port, ['nodePort']))
  return {
    ...without(spec, isUsual ? [...given, 'ipFamilyPolicy'] : given),
    ...(isHeadless && { clusterIP: 'None' }),
    ...(ports && { ports }),
  }
}

function without(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}
