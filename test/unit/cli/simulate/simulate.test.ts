/** `simulate` from its files to its last line: decisions with reasons, events, the closing sum, and every mistake named. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Step } from '../../../../services/cli/simulate/simulation.ts'
import type { Summary } from '../../../../services/cli/simulate/summary.ts'
import { cli } from '../fake-io.ts'

const example = (name: string) => fileURLToPath(new URL(`../../../../docs/examples/simulate/${name}`, import.meta.url))
const [federation, requests, events] = ['federation.yaml', 'requests.yaml', 'events.yaml'].map(example) as [
  string,
  string,
  string,
]
const folder = mkdtempSync(join(tmpdir(), 'simulate-'))
t.teardown(() => rmSync(folder, { recursive: true }))

function file(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

async function result(...files: readonly string[]): Promise<{ code: number; steps: Step[]; summary: Summary }> {
  const { code, out, err } = await cli(['simulate', ...files, '-o', 'json'])
  assert.equal(err, '')
  return { code, ...JSON.parse(out) }
}

const open = { start: '2027-01-01T00:00:00Z', end: null }
const node = (name: string, cpu: string) => ({
  name,
  schedulable: true,
  allocatable: { cpu, memory: '64Gi', pods: '110' },
  ownUse: { cpu: '1', memory: '1Gi' },
})
const datacenter = (slug: string, ...nodes: ReturnType<typeof node>[]) => ({
  slug,
  name: slug,
  region: 'utrecht',
  position: { latitude: 52, longitude: 5 },
  failureDomains: [],
  security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence: [] },
  capabilities: [],
  inventory: { nodes },
  offers: [
    { amounts: { cpu: '100', memory: '100Gi', pods: '100' }, period: open, quality: 'guaranteed', tariff: { cpu: 1 } },
  ],
})
const systems = [{ slug: 'een', name: 'Een', classes: { availability: 1, integrity: 1, confidentiality: 1 } }]
const world = (...datacenters: object[]) => ({ at: open.start, datacenters, systems })
const request = (name: string, cpu: string, more: object = {}) => ({
  name,
  systemSlug: 'een',
  components: [{ name: 'web', replicas: 1, requests: { cpu, memory: '1Gi' } }],
  fallback: { mode: 'none' },
  ...more,
})
const one = file('one.json', world(datacenter('dc-a', node('n1', '4'), node('n2', '2'))))

t.test(
  'The example: the highest priority first, who waits gets its place, and every promise is kept at the end',
  async () => {
    const { code, steps, summary } = await result(federation, requests, events)
    assert.equal(code, 0)
    assert.equal(steps[0]?.subject, 'wigo4it-signalen')
    const zaakbrug = steps.filter(({ subject }) => subject === 'ggk-zaakbrug').map(({ at, decision }) => [at, decision])
    assert.deepEqual(
      zaakbrug.map(([at, decision]) => [at, (decision as Step['decision'])?.outcome]),
      [
        ['2027-01-01T00:00:00.000Z', 'unschedulable'],
        ['2027-03-01T00:00:00.000Z', 'placed'],
      ],
    )
    const cordoned = steps.find(({ type }) => type === 'node.cordoned')
    const uncordoned = steps.find(({ type }) => type === 'node.uncordoned')
    assert.ok(cordoned && cordoned.broken.length > 0)
    assert.deepEqual(uncordoned?.mended.toSorted(), cordoned.broken.toSorted())
    assert.deepEqual([summary.requests, summary.placed, summary.refused, summary.broken.length], [5, 5, 0, 0])
    const cpu = summary.reserve.find(({ resource }) => resource === 'cpu')
    assert.deepEqual(cpu, { resource: 'cpu', held: '9', dedicated: '14' })
  },
)

t.test('The same files give the same answer, as a table too', async () => {
  const [first, second] = [await result(federation, requests, events), await result(federation, requests, events)]
  assert.deepEqual(first, second)
  const { out, code } = await cli(['simulate', federation, requests])
  assert.equal(code, 0)
  assert.match(out, /ggk-zaakbrug has no place: refused 4/)
  assert.match(out, /3 of 4 placed, 1 refused \(offer-short 1\)\. Every promise is kept\./)
  assert.match(out, /almere +cpu +30 +0 +9 +30\.0 %/)
})

t.test('A refusal tells rule and figures as the API does, by the node: no node of two has that much', async () => {
  const { steps, summary } = await result(one, file('large.json', { requests: [request('groot', '3500m')] }))
  const [refusal] = steps[0]?.decision?.refusals ?? []
  assert.equal(refusal?.datacenter, 'dc-a')
  assert.equal(refusal?.rule, 'node-size')
  assert.match(refusal?.message ?? '', /web/)
  assert.deepEqual(summary.refusedByRule, { 'node-size': 1 })
})

t.test(
  'A node goes, an offer ends, a hosting ends: a broken promise is told once, and when it is no longer so',
  async () => {
    const happened = file('happened.json', {
      events: [
        { at: '2027-03-01T00:00:00Z', type: 'offers.changed', datacenter: 'dc-a', offers: [] },
        { at: '2027-02-01T00:00:00Z', type: 'node.gone', datacenter: 'dc-a', node: 'n1' },
        { at: '2027-04-01T00:00:00Z', type: 'datacenter.cordoned', datacenter: 'dc-a' },
        { at: '2027-05-01T00:00:00Z', type: 'hosting.requested', request: request('later', '100m') },
        { at: '2027-06-01T00:00:00Z', type: 'hosting.ended', hosting: 'web' },
      ],
    })
    const asked = file('asked.json', { requests: [request('web', '3')] })
    const { code, steps, summary } = await result(one, asked, happened)
    const told = steps.map(({ type, broken, mended }) => [type, broken.length > 0, mended.length > 0])
    assert.deepEqual(told, [
      ['hosting.requested', false, false],
      ['node.gone', true, false],
      ['offers.changed', true, false],
      ['datacenter.cordoned', false, false],
      ['hosting.requested', false, false],
      ['hosting.ended', false, true],
    ])
    assert.match(steps[4]?.decision?.refusals[0]?.message ?? '', /cordoned/)
    assert.deepEqual([code, summary.broken], [0, []])
    const midway = file('midway.json', {
      events: [{ at: '2027-02-01T00:00:00Z', type: 'node.gone', datacenter: 'dc-a', node: 'n1' }],
    })
    const left = await result(one, asked, midway)
    assert.equal(left.code, 1)
    assert.deepEqual(left.summary.broken, ['web counts on dc-a/n1, which is gone or cordoned'])
  },
)

const good = file('good.json', { requests: [request('web', '1')] })
const wrongs: readonly (readonly [string, () => string[], RegExp])[] = [
  ['no files', () => [], /give a federation and requests/],
  ['no such file', () => [one, join(folder, 'none.yaml')], /none\.yaml cannot be read: there is no such file/],
  ['no YAML', () => [file('bad.yaml', 'a: [1\nb: 2'), good], /bad\.yaml is no valid YAML at line 2/],
  [
    'an unknown field',
    () => [file('f1.json', { ...world(datacenter('a')), x: 1 }), good],
    /\/x is not a field we know/,
  ],
  [
    'a datacenter twice',
    () => [file('f2.json', world(datacenter('a'), datacenter('a'))), good],
    /\/datacenters\/1\/slug stands twice/,
  ],
  [
    'a node twice',
    () => [file('f3.json', world(datacenter('a', node('n', '1'), node('n', '1')))), good],
    /\/datacenters\/0\/inventory\/nodes\/1\/name stands twice/,
  ],
  [
    'no such system',
    () => [one, file('r1.json', { requests: [request('web', '1', { systemSlug: 'twee' })] })],
    /r1\.json is not right:\n {2}\/requests\/0\/systemSlug is none/,
  ],
  [
    'no quantity',
    () => [one, file('r2.json', { requests: [request('web', 'veel')] })],
    /\/requests\/0\/components\/0\/requests\/cpu must be a Kubernetes quantity/,
  ],
  [
    'a contradiction',
    () => [one, file('r3.json', { requests: [request('web', '1', { fallback: { mode: 'none', minDistanceKm: 5 } })] })],
    /\/requests\/0\/fallback\/mode is none/,
  ],
  [
    'a name twice',
    () => [one, file('r4.json', { requests: [request('web', '1'), request('web', '1')] })],
    /\/requests\/1\/name stands twice/,
  ],
  [
    'an unknown event',
    () => [one, good, file('e1.json', { events: [{ at: open.start, type: 'node.melted' }] })],
    /\/events\/0\/type must be one of hosting\.requested, /,
  ],
  [
    'an event about nothing',
    () => [
      one,
      good,
      file('e2.json', { events: [{ at: open.start, type: 'node.gone', datacenter: 'dc-a', node: 'n9' }] }),
    ],
    /\/events\/0\/node is none of its nodes/,
  ],
  [
    'an event before the beginning',
    () => [
      one,
      good,
      file('e3.json', { events: [{ at: '2026-01-01T00:00:00Z', type: 'hosting.ended', hosting: 'web' }] }),
    ],
    /\/events\/0\/at is before the simulation begins/,
  ],
  ['a trace and files', () => ['--openb', folder, one], /no files are given/],
  ['no trace', () => ['--openb', folder], /openb_node_list_all_node\.csv cannot be read/],
  ['no list', () => ['--openb', folder, '--list', '../x'], /--list is a word/],
  ['no seeds', () => ['--openb', folder, '--seeds', '0'], /--seeds is 1 to 100/],
]
for (const [name, argv, message] of wrongs) {
  t.test(`A mistake ends with 2 and says what is wrong: ${name}`, async () => {
    const { code, out, err } = await cli(['simulate', ...argv()])
    assert.equal(out, '')
    assert.match(err, message)
    assert.equal(code, 2)
  })
}

t.test('A small trace runs from the command line, the best policy first', async () => {
  file('openb_node_list_all_node.csv', 'sn,cpu_milli,memory_mib,gpu,model\na,32000,65536,4,T4\nb,32000,65536,2,P100\n')
  file(
    'openb_pod_list_mini.csv',
    'name,cpu_milli,memory_mib,num_gpu,gpu_milli\np,4000,1024,1,500\nq,8000,1024,1,1000\n',
  )
  const { code, out } = await cli(['simulate', '--openb', folder, '--list', 'mini', '--seeds', '2', '-o', 'json'])
  assert.equal(code, 0)
  const { results } = JSON.parse(out) as { results: { policy: string; gpuAllocation: number; overcommitted: number }[] }
  assert.equal(results.length, 7)
  assert.ok(results.every(({ gpuAllocation, overcommitted }) => gpuAllocation > 50 && overcommitted === 0))
  const allocations = results.map(({ gpuAllocation }) => gpuAllocation)
  assert.deepEqual(
    allocations,
    allocations.toSorted((a, b) => b - a),
  )
})

t.test('a drained datacenter is left by all, step by step, and every promise is kept', async () => {
  const drained = { at: '2027-06-01T00:00:00Z', type: 'datacenter.drained', datacenter: 'equalit' }
  const { steps, summary } = await result(federation, requests, file('drained.json', { events: [drained] }))
  const subjects = steps.filter(({ type }) => type === 'datacenter.drained').map(({ subject }) => subject)
  assert.deepEqual(subjects, ['equalit', 'wigo4it-signalen: primary from equalit to almere'])
  const left = summary.use.filter(({ datacenter }) => datacenter === 'equalit')
  assert.ok(left.every(({ hosted, fallbackReserved }) => hosted === '0' && fallbackReserved === '0'))
  assert.deepEqual(summary.broken, [])
})
