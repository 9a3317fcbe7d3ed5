/** What runs in a namespace is looked at as its party: what its events tell is read only while something waits. */
import t from 'tap'
import { lookAtWorkloads } from '../../../services/broker/clusters/workloads.ts'
import { KubernetesError } from '../../../services/shared/kubernetes/index.ts'

const involvedObject = { kind: 'StatefulSet', name: 'web' }
const refusal = { type: 'Warning', reason: 'FailedCreate', message: 'exceeded quota', involvedObject }

function tenant(ready: number, events: () => object[]) {
  const asked: string[] = []
  const objects: Record<string, () => object[]> = {
    StatefulSet: () => [{ metadata: { name: 'web' }, spec: { replicas: 1 }, status: { readyReplicas: ready } }],
    Event: () => events().map((each) => ({ metadata: {}, ...each })),
  }
  const list = async ({ kind }: { kind: string }) => {
    asked.push(kind)
    return { items: objects[kind]?.() ?? [] }
  }
  return { client: { list } as never, asked }
}

t.test('events say what nothing else does', async (t) => {
  const late = tenant(0, () => [refusal])
  const { waiting } = await lookAtWorkloads(late.client, 'zaak-drill')
  t.same(waiting, ['StatefulSet web (0 of 1)', 'StatefulSet web: FailedCreate: exceeded quota'])
  const ready = tenant(1, () => [refusal])
  t.same((await lookAtWorkloads(ready.client, 'zaak-drill')).waiting, [])
  t.notOk(ready.asked.includes('Event'), 'nothing waits, so nothing has to be explained')
})

t.test('where they may not be read the rest is told, and a cluster that is silent is silent', async (t) => {
  const fails = (error: Error) => () => {
    throw error
  }
  const refused = tenant(0, fails(new KubernetesError(403, 'Forbidden', 'events is forbidden')))
  t.same((await lookAtWorkloads(refused.client, 'zaak-drill')).waiting, ['StatefulSet web (0 of 1)'])
  const silent = tenant(0, fails(new Error('no answer')))
  await t.rejects(lookAtWorkloads(silent.client, 'zaak-drill'), { message: 'no answer' })
})
