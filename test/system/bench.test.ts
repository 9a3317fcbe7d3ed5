/** `npm run bench -- placement --json`: one JSON object of the shape that others draw bars from, on a small run. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { root } from '../../scripts/sources.ts'

// A loaded machine takes minutes.
t.setTimeout(290_000)

const small = '--decisions 100 --largest 40 --lists multigpu30 --instances a1_1 --instance-seconds 1 --seconds 1'.split(
  ' ',
)

/** Every field with the type of its value; of a list that of its first entry. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf)
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shapeOf(each)]))
}

const engine = {
  datacenters: 'number',
  nodes: 'number',
  fallback: 'string',
  load: 'number',
  p50us: 'number',
  p99us: 'number',
  acceptedRatioToScan: 'number',
  bytesPerHosting: 'number',
}
const filled = { filled: 'number', ratioToScan: 'number' }
const policies = ['scan', 'gemeentecloud', 'first-fit', 'best-fit', 'worst-fit', 'random']
const shape = {
  engine: [engine],
  openb: { multigpu30: { gpuAllocation: 'number', fgd: 'number' } },
  roadef: { a1_1: { cost: 'number', best: 'number', gapPercent: 'number', seconds: 'number' } },
  reserve: { held: 'number', lowerBound: 'number', dedicated: 'number' },
  baselines: Object.fromEntries(policies.map((policy) => [policy, filled])),
  endToEnd: { perSecond: 'number', storeCommitsPerSecond: 'number' },
}

t.test('One JSON object with every figure, and nothing else, on the output', async () => {
  const flags = ['--expose-gc', 'test/bench/main.ts', 'placement', '--json', ...small]
  const bench = spawn(process.execPath, flags, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((resolve) => bench.once('close', resolve))
  const [out, err, code] = await Promise.all([text(bench.stdout), text(bench.stderr), ended])
  assert.equal(code, 0, err)
  const figures = JSON.parse(out)
  // What stands beside the checkout is not everywhere.
  const absent = Object.fromEntries(
    ['openb', 'roadef'].filter((part) => figures[part] === null).map((p) => [p, 'null']),
  )
  assert.deepEqual(shapeOf(figures), { ...shape, ...absent })
  assert.equal(figures.engine.length, 6)
  for (const { acceptedRatioToScan } of figures.engine) assert.equal(acceptedRatioToScan, 1, 'all of 40 are looked at')
  for (const { best, cost } of Object.values<{ best: number; cost: number }>(figures.roadef ?? {}))
    assert.ok(cost >= best)
  assert.ok(figures.reserve.held >= figures.reserve.lowerBound && figures.reserve.held < figures.reserve.dedicated)
})
