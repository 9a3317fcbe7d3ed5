/** The reader of the openb trace: what it takes, and each mistake by file, line and what it should be. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { CliError } from '../../../../services/cli/errors.ts'
import { nodeListFile, openbNodes, openbPods, podListFile } from '../../../../services/cli/simulate/openb.ts'
import { arrivalsOf, deviceCapacity, devicePolicies, runTrial } from '../../../../services/placement/index.ts'
import { seededRandom } from '../../../../services/shared/random.ts'

const nodeHead = 'sn,cpu_milli,memory_mib,gpu,model'
const podHead = 'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos'

t.test('Nodes without devices are left out; pods come by name, with the models they ask', async () => {
  assert.deepEqual(openbNodes(`${nodeHead}\na,32000,262144,0,\nb,96000,786432,8,G2\n`, 'n.csv'), [
    { name: 'b', cpu: 96_000, memory: 786_432, devices: 8, model: 'G2' },
  ])
  const pods = `${podHead}\np2,6000,12288,1,460,T4|P100,LS\np1,88000,327680,8,1000,,BE\np3,4000,1024,0,0,T4,BE\n`
  assert.deepEqual(openbPods(pods, 'p.csv'), [
    { cpu: 88_000, memory: 327_680, devices: 8, share: 1_000, models: [] },
    { cpu: 6_000, memory: 12_288, devices: 1, share: 460, models: ['T4', 'P100'] },
    { cpu: 4_000, memory: 1_024, devices: 0, share: 0, models: [] },
  ])
})

const mistakes: readonly (readonly [string, () => unknown, RegExp])[] = [
  ['no such column', () => openbNodes('sn,cpu_milli\na,1', 'n.csv'), /^n\.csv line 1: column memory_mib, gpu, model/],
  ['a field too few', () => openbNodes(`${nodeHead}\na,1,1,1`, 'n.csv'), /^n\.csv line 2: 4 fields, .* names 5$/],
  [
    'no number',
    () => openbNodes(`${nodeHead}\na,1,1,1,T4\nb,-1,1,1,T4`, 'n.csv'),
    /line 3: cpu_milli is "-1"; .*whole/,
  ],
  ['too many devices', () => openbNodes(`${nodeHead}\na,1,1,65,T4`, 'n.csv'), /line 2: gpu is "65"; .* 0 to 64$/],
  ['a node twice', () => openbNodes(`${nodeHead}\na,1,1,1,T4\na,1,1,1,T4`, 'n.csv'), /line 3: node a stands twice/],
  ['no devices', () => openbNodes(`${nodeHead}\na,1,1,0,`, 'n.csv'), /no node with a GPU/],
  ['no rows', () => openbNodes(nodeHead, 'n.csv'), /no rows/],
  ['a share of nothing', () => openbPods(`${podHead}\np,1,1,1,0,,LS`, 'p.csv'), /line 2: gpu_milli is 0/],
  ['nobody asks', () => openbPods(`${podHead}\np,1,1,0,0,,LS`, 'p.csv'), /no pod that asks/],
]
for (const [name, read, message] of mistakes) {
  t.test(`A mistake is named with its place: ${name}`, async () => {
    assert.throws(read, (error) => error instanceof CliError && error.code === 2 && message.test(error.message))
  })
}

const folder = fileURLToPath(new URL('../../../../../shared/data/traces/openb/', import.meta.url))
const absent = existsSync(folder + nodeListFile) ? false : 'the openb trace is not beside the checkout'

t.test('A tenth of the real cluster: ours uses at least as much of the devices as FGD', { skip: absent }, async () => {
  const all = openbNodes(readFileSync(folder + nodeListFile, 'utf8'), nodeListFile)
  assert.equal(all.length, 1_213)
  assert.equal(deviceCapacity(all), 6_212_000)
  const nodes = all.filter((_, n) => n % 10 === 0)
  const pods = openbPods(readFileSync(folder + podListFile('gpuspec33'), 'utf8'), 'gpuspec33')
  assert.equal(pods.length, 8_152)
  const some = pods.filter((_, n) => n % 10 === 0)
  const arrivals = arrivalsOf(some, deviceCapacity(nodes), 1.3, seededRandom(1).next)
  const run = (name: keyof typeof devicePolicies) =>
    runTrial(nodes, arrivals, some, devicePolicies[name], seededRandom(2).next)
  const [ours, fgd] = [run('gemeentecloud'), run('fgd')]
  assert.equal(ours.overcommitted + fgd.overcommitted, 0)
  assert.ok(ours.allocation >= fgd.allocation, `${ours.allocation} % against ${fgd.allocation} %`)
  assert.ok(ours.allocation > 90)
})
