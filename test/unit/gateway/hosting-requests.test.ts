/** Hosting requests as objects, what a change would change, who wrote which label, and versions that grow. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { advanced } from '../../../services/gateway/hosting-requests/book.ts'
import { differences, mergePatched } from '../../../services/gateway/hosting-requests/differences.ts'
import { objectOf } from '../../../services/gateway/hosting-requests/object.ts'
import { openApiSchema } from '../../../services/gateway/hosting-requests/openapi.ts'
import { eventsOf } from '../../../services/gateway/hosting-requests/read.ts'
import {
  fieldPath,
  type HostingRequestSpec,
  readSpec,
  HostingRequestSpec as schema,
} from '../../../services/gateway/hosting-requests/schema.ts'
import type { RequestRow } from '../../../services/gateway/hosting-requests/store.ts'
import { appliedBy, mergedWith, nothingWritten } from '../../../services/gateway/hosting-requests/written.ts'

const createdMs = Date.parse('2026-11-01T12:00:00Z')
const primary = {
  role: 'primary',
  datacenter: 'breda',
  contact: 'reachable',
  observed: 'ready',
  observedReason: null,
} as const
const row = (more: Partial<RequestRow> = {}): RequestRow => ({
  id: 'hst_1',
  name: 'een',
  systemId: 'sys_01hzzzzzzzzzzzzzzzzzzzzzzz',
  system: 'zaken',
  spec: {
    components: [{ name: 'web', replicas: 2, requests: { cpu: '1', memory: '1Gi' } }],
    fallback: { mode: 'none' },
  },
  startsMs: createdMs,
  endsMs: null,
  wanted: 'running',
  scheduling: 'placed',
  decision: null,
  broken: null,
  price: 100,
  createdMs,
  updatedMs: createdMs + 1_000,
  placements: [primary],
  written: null,
  ...more,
})

t.test('where a request stands', async (t) => {
  const told = (more: Partial<RequestRow>) => {
    const { status } = objectOf(row(more))
    const conditions = status['conditions'] as { status: string; reason: string }[]
    return [status.state, ...conditions.map(({ status, reason }) => `${status} ${reason}`)]
  }
  t.same(told({}), ['running', 'True Accepted', 'True Placed', 'True Running'])
  t.same(told({ placements: [{ ...primary, observed: 'absent' }] }).slice(2), ['True Placed', 'False Provisioning'])
  t.same(told({ placements: [{ ...primary, contact: 'lost' }] }).slice(2), ['True Placed', 'False Degraded'])
  t.same(told({ scheduling: 'pending', placements: [] }).slice(2), ['False Pending', 'False Pending'])
  t.same(told({ scheduling: 'unschedulable', placements: [] })[2], 'False Unschedulable')
  t.equal(objectOf(row()).metadata['deletionTimestamp'], undefined)
  t.equal(objectOf(row({ wanted: 'ending' })).metadata['deletionTimestamp'], '2026-11-01T12:00:01Z')
})

t.test('what a change would change', async (t) => {
  const standing = objectOf(row()).spec
  const found = (more: object) =>
    differences(standing, mergePatched(standing, more) as HostingRequestSpec, createdMs).map(({ pointer }) => pointer)
  t.same(found({}), [])
  t.same(found({ systemId: null }), [], 'what may be left out')
  t.same(found({ period: null }), [])
  t.same(found({ period: { start: '2026-01-01T00:00:00Z' } }), [], 'a start in the past has become the request')
  t.same(found({ period: { start: '2027-01-01T00:00:00Z' } }), ['/period/start'])
  t.same(found({ priority: 3, fallback: { mode: 'hot' } }), ['/fallback/mode', '/priority'])
  t.same(found({ components: [{ name: 'web', replicas: 3, requests: { cpu: '1', memory: '1Gi' } }] }), [
    '/components/0/replicas',
  ])
  t.equal(fieldPath('/components/0/requests/storage~1snel'), '.components[0].requests[storage/snel]')
})

t.test('who wrote which label', async (t) => {
  const first = appliedBy('flux', nothingWritten, { labels: { a: '1', b: '2' } })
  t.same(appliedBy('flux', first, { labels: { a: '1' } }).labels, { a: '1' }, 'what it names no longer goes')
  const shared = appliedBy('argo', first, { labels: { b: '2' } })
  t.same(appliedBy('flux', shared, {}).labels, { b: '2' }, 'unless another names it')
  t.same(mergedWith(first, { labels: { a: null, c: '3' } }).labels, { b: '2', c: '3' })
  t.throws(() => mergedWith(first, { labels: { a: 'geen label' } }), { code: 'Invalid' })
  t.throws(() => mergedWith(first, { annotations: { groot: 'x'.repeat(300_000) } }), { code: 'Invalid' })
})

t.test('versions grow with what changes, and only then', async (t) => {
  const first = advanced(undefined, [row()], 10_000, 0)
  t.same(first.changes, [], 'what is read for the first time is not a change')
  const same = advanced(first.entry, [row({ updatedMs: createdMs + 9_000 })], 20_000, 0)
  t.same(same.changes, [])
  t.equal(same.entry.page.version, 20_000)
  const moved = advanced(same.entry, [row({ placements: [{ ...primary, datacenter: 'goes' }] })], 30_000, 0)
  t.match(moved.changes, [{ version: 30_000, before: { version: 10_000 }, after: { version: 30_000 } }])
  const other = advanced(moved.entry, [row({ id: 'hst_2' })], 40_000, 0)
  const kinds = other.changes.flatMap((change) => eventsOf(change, () => true)).map(({ type }) => type)
  t.same(kinds, ['DELETED', 'ADDED'], 'another of the same name')
  const [change] = moved.changes
  const atGoes = (item: { object: { status: { primary?: string } } }) => item.object.status.primary === 'goes'
  t.match(change && eventsOf(change, atGoes), [{ type: 'ADDED' }], 'to who selects, it comes')
  t.equal(other.entry.since, 10_000)
})

t.test('the schema of the API, as Kubernetes reads schemas', async (t) => {
  const text = JSON.stringify(openApiSchema(schema))
  for (const word of ['patternProperties', '"const"', '"type":"null"']) t.notMatch(text, word)
  t.match(openApiSchema(schema), {
    properties: {
      fallback: { properties: { mode: { enum: ['none', 'cold', 'warm', 'hot'] } } },
      components: { items: { properties: { requests: { additionalProperties: { type: 'string' } } } } },
    },
  })
})

t.test('the example asks what may be asked', async (t) => {
  const file = new URL('../../../docs/examples/hosting-request.yaml', import.meta.url)
  const [request, namespace] = parseAllDocuments(readFileSync(file, 'utf8')).map((each) => each.toJS())
  const [annotated] = Object.values(namespace.metadata.annotations as Record<string, string>)
  for (const spec of [request.spec, parseAllDocuments(annotated ?? '')[0]?.toJS()])
    t.match(readSpec(spec), { ok: true })
  t.match(readSpec({ ...request.spec, systemSlug: undefined }), { ok: false })
})
