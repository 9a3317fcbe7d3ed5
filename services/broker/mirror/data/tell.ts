/** What is told of data that no copy is kept of, and of workloads that wait for data in vain. */
import type { KindRef } from '../../../shared/kubernetes/index.ts'
import { cnpgVersion } from '../core/cnpg.ts'
import type { DataState, Declared } from '../core/data.ts'
import { undeclaredReplicas } from '../core/waiting.ts'
import { claimKind, clusterKind } from './claims.ts'
import type { DataContext } from './context.ts'

/** What holds data and nobody has said how it comes along. */
export async function undeclared({ active, here, row, objects }: DataContext): Promise<DataState[]> {
  const isServed = (await active.resources(cnpgVersion)).some(({ kind }) => kind === clusterKind.kind)
  const clusters = isServed ? await here.list(clusterKind, { namespace: row.name }).catch(() => undefined) : undefined
  const databases = (clusters?.items ?? []).map(({ metadata }) => `Cluster/${metadata.name}`)
  return [...claimsOf(objects), ...databases].map((name) =>
    told(name, 'it holds data, and how that comes to the standby is not declared'),
  )
}

/** Of a StatefulSet that was scaled up since its data was declared. */
export function ofOtherReplicas({ objects }: DataContext, data: readonly Declared[]): DataState[] {
  return undeclaredReplicas(namesOf(objects, claimKind), data).map((claim) =>
    told(
      `${claimKind.kind}/${claim}`,
      'that of another replica is declared, and it is not: it comes to the standby empty',
    ),
  )
}

/** Where it runs nothing wakes what waits but the operation that brings its data back, which may have been given up. */
export async function withAsleep(
  { active, objects, grant }: DataContext,
  states: readonly DataState[],
): Promise<readonly DataState[]> {
  const waiting = [...objects.values()].filter(({ waits }) => waits)
  if (waiting.length === 0 || (await grant()).isUnderWay) return states
  const named = waiting.map(({ kind, name }) => `${kind} ${name}`).join(', ')
  const asleep = `${named} at ${active.slug} waits for data that nothing brings back any more: scale it up by hand`
  return states.map((state) => ({ ...state, problem: state.problem ?? asleep }))
}

const told = (name: string, problem: string): DataState => ({ kind: 'undeclared', name, goodAtMs: null, problem })
const claimsOf = (objects: DataContext['objects']) =>
  namesOf(objects, claimKind).map((name) => `${claimKind.kind}/${name}`)
const namesOf = (objects: DataContext['objects'], { kind }: Pick<KindRef, 'kind'>): string[] =>
  [...objects.values()].filter((one) => one.kind === kind).map(({ name }) => name)
