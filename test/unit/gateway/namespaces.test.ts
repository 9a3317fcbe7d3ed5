/** Namespaces as the gateway tells of them: selected, changed, and as old as kubectl says. */
import t from 'tap'
import { viewOf } from '../../../services/gateway/directory.ts'
import { ageOf, changesBetween, namespaceOf, selected } from '../../../services/gateway/namespaces.ts'
import type { HostingRow } from '../../../services/gateway/store.ts'

const row = (name: string, more: Partial<HostingRow> = {}): HostingRow => ({
  id: `hst_${name}`,
  name,
  system: 'zaken',
  wanted: 'running',
  scheduling: 'placed',
  createdMs: Date.parse('2026-11-01T12:00:00.123Z'),
  placementId: `plc_${name}`,
  datacenterId: 'dc_breda',
  slug: 'breda',
  observed: 'ready',
  ...more,
})
const names = (selector: Record<string, string>, rows = [row('een'), row('twee'), row('drie', { wanted: 'ending' })]) =>
  selected(viewOf(rows), new URLSearchParams(selector)).map(({ name }) => name)

t.test('what a hosting is as a namespace', async (t) => {
  const state = (more: Partial<HostingRow>) => viewOf([row('een', more)]).spaces.get('een')?.state
  t.equal(state({}), 'active')
  t.equal(state({ observed: 'unknown' }), 'active', 'what is not seen has not gone')
  t.equal(state({ observed: 'provisioning' }), 'active')
  t.equal(state({ observed: 'absent' }), 'preparing')
  t.equal(state({ observed: 'conflict' }), 'conflict')
  t.equal(state({ observed: 'conflict', wanted: 'ending' }), 'conflict', 'what is not ours stays so')
  t.equal(state({ placementId: null, datacenterId: null, slug: null, observed: null }), 'waiting')
  t.equal(state({ wanted: 'ending' }), 'ending')
})

t.test('a move changes where it is and nothing that a client keeps it by', async (t) => {
  const [before, after] = [viewOf([row('een')]), viewOf([row('een', { placementId: 'plc_2', slug: 'goes' })])]
  const object = (view: typeof before) => namespaceOf(view.spaces.get('een')!, view.version).metadata
  t.equal(object(before)['uid'], object(after)['uid'])
  t.match(object(before)['uid'], /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  t.equal(object(before)['creationTimestamp'], '2026-11-01T12:00:00Z')
  t.not(before.version, after.version)
  t.match(changesBetween(before, after, new URLSearchParams()), [
    { type: 'MODIFIED', space: { site: { slug: 'goes' } } },
  ])
})

t.test('selectors', async (t) => {
  t.same(names({}), ['een', 'twee', 'drie'])
  t.same(names({ fieldSelector: 'metadata.name=een' }), ['een'])
  t.same(names({ fieldSelector: 'status.phase!=Active' }), ['drie'])
  t.same(names({ labelSelector: 'kubernetes.io/metadata.name in (een, drie)' }), ['een', 'drie'])
  t.same(names({ labelSelector: 'kubernetes.io/metadata.name notin (een)' }), ['twee', 'drie'])
  t.same(names({ labelSelector: 'gemeentecloud.nl/hosting,name!=een' }), ['twee', 'drie'])
  t.same(names({ labelSelector: '!gemeentecloud.nl/hosting' }), [])
  t.same(names({ labelSelector: 'nergens=' }), [])
  for (const labelSelector of ['a in', 'a in (b', '=b', 'a=b=c', 'a,,b', 'a in (b),', '(a)', '-a'])
    t.throws(() => names({ labelSelector }), { code: 'BadRequest' }, labelSelector)
  for (const fieldSelector of ['spec.x=1', 'metadata.name', 'a b'])
    t.throws(() => names({ fieldSelector }), { code: 'BadRequest' })
})

t.test('what happened between two views, to those that match', async (t) => {
  const before = viewOf([row('een'), row('twee')])
  const after = viewOf([row('twee', { wanted: 'ending' }), row('drie')])
  const told = (selector: Record<string, string>) =>
    changesBetween(before, after, new URLSearchParams(selector)).map(({ type, space }) => `${type} ${space.name}`)
  t.same(told({}), ['DELETED een', 'MODIFIED twee', 'ADDED drie'])
  t.same(told({ fieldSelector: 'status.phase=Active' }), ['DELETED een', 'DELETED twee', 'ADDED drie'])
  t.same(changesBetween(before, before, new URLSearchParams()), [])
})

t.test('ages', async (t) => {
  const second = 1_000
  for (const [seconds, text] of [
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [125, '2m5s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [12_000, '3h20m'],
    [28_800, '8h'],
    [172_800, '2d'],
    [190_000, '2d4h'],
    [864_000, '10d'],
    [70_000_000, '2y'],
  ] as const)
    t.equal(ageOf(seconds * second), text)
})
