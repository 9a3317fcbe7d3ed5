/** Which pods of a node a guard minds, and which of them are past their gate. */
import t from 'tap'
import type { Container, Sandbox } from '../../../../services/agent/guard/cri/wire.ts'
import { activeEpochLabel, gateName, hostingLabel } from '../../../../services/agent/guard/gate.ts'
import { type Known, sortPods } from '../../../../services/agent/guard/pods.ts'

const gateImage = 'registry.test/gate:1'
const known: Known = {
  spaces: [{ namespace: 'zaak', hosting: 'h1', activity: 'exclusive' }],
  opened: new Set(),
  gateImage,
}
const sandbox = (changes: Partial<Omit<Sandbox, 'labels'>> & { labels?: Record<string, string> } = {}): Sandbox => ({
  id: 's1',
  pod: 'zaak-1',
  namespace: 'zaak',
  isReady: true,
  ...changes,
  labels: new Map(Object.entries(changes.labels ?? { [activeEpochLabel]: '1.4' })),
})
const container = (changes: Partial<Container> = {}): Container => ({
  id: 'c1',
  sandbox: 's1',
  name: 'app',
  images: ['registry.test/app:1'],
  isLive: true,
  ...changes,
})
const gate = container({ id: 'g1', name: gateName, images: [gateImage] })
const of = (pod: Sandbox, containers: readonly Container[], more: Partial<Known> = {}) => {
  const { running, waiting } = sortPods({ sandboxes: [pod], containers }, { ...known, ...more })
  if (waiting.length > 0) return 'waiting'
  return running.size > 0 ? [...running.keys()].join() : 'nothing'
}

t.test('a pod waits for as long as nothing but its gate was ever in it', async (t) => {
  t.equal(of(sandbox(), []), 'waiting', 'the gate is yet to come')
  t.equal(of(sandbox(), [gate]), 'waiting')
  t.equal(of(sandbox(), [{ ...gate, isLive: false }]), 'h1', 'the gate has ended: anything may start')
  t.equal(of(sandbox(), [{ ...gate, isLive: false }, container()]), 'h1')
  t.equal(of(sandbox(), [gate], { opened: new Set(['s1']) }), 'h1', 'opened, whether or not it shows')
  t.equal(of(sandbox({ labels: {} }), [gate]), 'h1', 'a pod without the label was not given a gate by the cluster')
})

t.test('who calls himself the gate is not it', async (t) => {
  t.equal(of(sandbox(), [{ ...gate, images: ['registry.test/app:1'] }]), 'h1')
  t.equal(of(sandbox(), [gate, container()]), 'h1', 'or has something beside it')
  t.equal(
    of(sandbox(), [{ ...gate, images: ['other'] }], { gateImage: undefined }),
    'waiting',
    'unless any image will do',
  )
})

t.test('what runs counts whatever becomes of its sandbox, and what has ended does not', async (t) => {
  t.equal(of(sandbox({ isReady: false }), [container()]), 'h1')
  t.equal(of(sandbox({ isReady: false }), [container({ isLive: false })]), 'nothing')
  t.equal(of(sandbox({ labels: {} }), []), 'h1', 'a sandbox in which something may start')
})

t.test('the namespace says of which hosting it is; the pod itself only while no agent has spoken', async (t) => {
  const labels = { [hostingLabel]: 'h2' }
  t.equal(of(sandbox({ labels }), [container()]), 'h1')
  t.equal(of(sandbox({ namespace: 'other', labels }), [container()]), 'nothing')
  t.equal(of(sandbox({ namespace: 'other', labels }), [container()], { spaces: undefined }), 'h2')
  t.equal(of(sandbox({ labels: {} }), [container()], { spaces: undefined }), 'nothing')
})

t.test('the epoch of a pod is read from its label', async (t) => {
  const labelOf = (text: string) => {
    const pod = sandbox({ labels: { [activeEpochLabel]: text } })
    return sortPods({ sandboxes: [pod], containers: [gate] }, known).waiting[0]?.label
  }
  t.same(labelOf('2.17'), { generation: 2, counter: 17 })
  for (const text of ['', '2', '2.', '2.x', '-1.2', '2.17.1', `1.${'9'.repeat(40)}`])
    t.same(labelOf(text), { generation: 0, counter: 0 }, text)
})
