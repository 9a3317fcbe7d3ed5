/** The life of a namespace: it comes with what pods need, and takes along what is in it. */
import { kindNamed, namespacedKinds } from './kinds.ts'
import { type Condition, type Namespace, type Stored, seconds } from './objects.ts'
import type { Store } from './store.ts'

/** Brings a namespace one step further; `ca` is the PEM of the cluster's authority, `now` in epoch milliseconds. */
export function keepNamespace(store: Store, name: string, ca: string, now: number): void {
  const namespace = store.get('Namespace', undefined, name)
  if (!namespace) return
  if (!namespace.metadata.deletionTimestamp) {
    furnish(store, name, ca)
    return
  }
  for (const kind of namespacedKinds) {
    for (const { metadata } of store.list(kind, name)) {
      if (!metadata.deletionTimestamp) store.remove(kind, name, metadata.name)
    }
  }
  const left = namespacedKinds.flatMap((kind) => store.list(kind, name))
  const latest = store.get('Namespace', undefined, name)
  if (!latest) return
  if (left.length > 0) store.update({ ...latest, status: statusWith(latest, left, now) }, 'status')
  else if ((latest.spec?.finalizers ?? []).length > 0)
    store.update({ ...latest, spec: { ...latest.spec, finalizers: [] } })
}

function furnish(store: Store, name: string, ca: string): void {
  const ensure = (object: Stored) => {
    if (!store.get(object.kind, name, object.metadata.name)) store.create(object)
  }
  ensure({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } })
  const metadata = { name: 'kube-root-ca.crt', namespace: name }
  ensure({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.crt': ca } })
}

/** What a namespace waits for, in the conditions that people and tools look at. */
function statusWith({ status }: Namespace, left: readonly Stored[], now: number): NonNullable<Namespace['status']> {
  const tally = (names: readonly string[]) =>
    [...Map.groupBy(names, (each) => each)].map(([each, all]) => ({ each, count: all.length }))
  const contents = tally(left.map(({ kind }) => nameOf(kind)))
  const finalizers = tally(left.flatMap(({ metadata }) => metadata.finalizers ?? []))
  const condition = (type: string, is: boolean, reason: string, message: string): Condition => {
    const before = status?.conditions?.find((each) => each.type === type)
    const text = is ? 'True' : 'False'
    const lastTransitionTime = before?.status === text ? (before.lastTransitionTime ?? '') : seconds(now)
    return { type, status: text, reason, message, lastTransitionTime }
  }
  const remaining = contents.map(({ each, count }) => `${each} has ${count} resource instances`).join(', ')
  const held = finalizers.map(({ each, count }) => `${each} in ${count} resource instances`).join(', ')
  return {
    phase: 'Terminating',
    conditions: [
      condition('NamespaceContentRemaining', true, 'SomeResourcesRemain', `Some resources are remaining: ${remaining}`),
      condition(
        'NamespaceFinalizersRemaining',
        finalizers.length > 0,
        finalizers.length > 0 ? 'SomeFinalizersRemain' : 'ContentHasNoFinalizers',
        finalizers.length > 0 ? `Some content in the namespace has finalizers remaining: ${held}` : 'All is on its way',
      ),
    ],
  }
}

/** `deployments.apps`. */
function nameOf(kind: string): string {
  const { plural, group } = kindNamed(kind)
  return group === '' ? `${plural}.` : `${plural}.${group}`
}
