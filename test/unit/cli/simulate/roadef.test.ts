/** The reader of the ROADEF 2012 files, each mistake by line, and the real instances: known costs, made cheaper. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { CliError } from '../../../../services/cli/errors.ts'
import { parseRoadef } from '../../../../services/cli/simulate/roadef.ts'
import { checkAssignment, search } from '../../../../services/placement/index.ts'
import { seededRandom } from '../../../../services/shared/random.ts'

/** Two resources, two machines, two services of which the second needs the first, three processes, one balance cost. */
const model = ['2', '1 10', '0 5', '2', '0 0 8 9 6 7 0 2', '0 1 5 4 3 2 3 0', '2', '2 0', '0 1 0', '3']
  .concat(['0 1 2 7', '0 3 4 8', '1 0 1 9', '1', '0 1 20', '30', '1 10 100'])
  .join('\n')

t.test('Every field of the format is where it belongs', async () => {
  const read = parseRoadef(model, '0 1 0\n')
  assert.deepEqual([...read.transient, ...read.loadWeight], [1, 0, 10, 5])
  assert.deepEqual([...read.neighbourhood, ...read.location], [0, 0, 0, 1])
  assert.deepEqual([...read.capacity, ...read.safetyCapacity], [8, 9, 5, 4, 6, 7, 3, 2])
  assert.deepEqual([...read.machineMoveCost], [0, 2, 3, 0])
  assert.deepEqual([...read.spreadMin], [2, 0])
  assert.deepEqual([[...read.dependencies.start], [...read.dependencies.items]], [[0, 0, 1], [0]])
  assert.deepEqual([[...read.dependents.start], [...read.dependents.items]], [[0, 1, 1], [1]])
  assert.deepEqual([...read.service, ...read.processMoveCost], [0, 0, 1, 7, 8, 9])
  assert.deepEqual([...read.requirement], [1, 2, 3, 4, 0, 1, 0, 0])
  assert.deepEqual(read.balances, [{ per: 0, of: 1, target: 20, weight: 30 }])
  assert.deepEqual([read.processMoveWeight, read.serviceMoveWeight, read.machineMoveWeight], [1, 10, 100])
  assert.deepEqual([...read.initial], [0, 1, 0])
})

const lines = model.split('\n')
const changed = (line: number, text: string) => lines.map((old, at) => (at === line - 1 ? text : old)).join('\n')
const mistakes: readonly (readonly [string, string, string, RegExp])[] = [
  ['no number', changed(3, '0 x'), '0 1 0', /^model line 3: the weight of resource 1 .* not "x"$/],
  ['below zero', changed(5, '0 0 -8 9 6 7 0 2'), '0 1 0', /^model line 5: the capacity of machine 0 .* not "-8"$/],
  ['a fraction', changed(13, '1 0 1.5 9'), '0 1 0', /^model line 13: the requirement of process 2 .* not "1.5"$/],
  ['no such service', changed(12, '2 3 4 8'), '0 1 0', /^model line 12: the service of process 1 is 2, .* at most 1$/],
  ['no such resource', changed(15, '0 2 20'), '0 1 0', /line 15: the second resource of balance cost 0 is 2, /],
  ['a number too large', changed(4, '99999'), '0 1 0', /^model line 4: the number of machines is 99999, .* 5000$/],
  [
    'the end is missing',
    lines.slice(0, 16).join('\n'),
    '0 1 0',
    /^model line 16: .* ends where the weight of process moves/,
  ],
  ['more than the end', `${model}\n7`, '0 1 0', /^model line 18: nothing should follow, but "7" does$/],
  ['no such machine', model, '0 1 2', /^assignment line 1: the machine of process 2 is 2, /],
  [
    'a process without machine',
    model,
    '0 1',
    /^assignment line 1: .* ends where the machine of process 2 should stand$/,
  ],
  ['one machine too many', model, '0 1 0 1', /^assignment line 1: nothing should follow/],
]
for (const [name, text, assignment, message] of mistakes) {
  t.test(`A mistake is named with its place: ${name}`, async () => {
    assert.throws(
      () => parseRoadef(text, assignment),
      (error) => error instanceof CliError && error.code === 2 && message.test(error.message),
    )
  })
}

const folder = fileURLToPath(new URL('../../../../../shared/data/traces/roadef2012/', import.meta.url))
const skip = existsSync(folder) ? false : 'the instances of ROADEF 2012 are not beside the checkout'
const real = (name: string) =>
  parseRoadef(
    readFileSync(`${folder}model_${name}.txt`, 'utf8'),
    readFileSync(`${folder}assignment_${name}.txt`, 'utf8'),
  )

t.test('The first assignments break nothing and cost what is published', { skip }, async () => {
  const published = { a1_1: 49_528_750, a1_4: 632_499_600, a2_2: 1_876_768_120, b_1: 7_644_173_180, b_2: 5_181_493_830 }
  for (const [name, cost] of Object.entries(published)) {
    const instance = real(name)
    const verdict = checkAssignment(instance, instance.initial)
    assert.deepEqual([name, verdict.breaches, verdict.cost.total], [name, [], cost])
  }
})

t.test('A million proposals bring a1_1 within a hundredth of the optimum, and break nothing', { skip }, async () => {
  const instance = real('a1_1')
  const { assignment, cost } = search(instance, { random: seededRandom(1).next, progress: (done) => done / 1e6 })
  const { breaches, cost: exact } = checkAssignment(instance, assignment)
  assert.deepEqual([breaches, exact.total], [[], cost])
  assert.ok(cost >= 44_306_501 && cost < 44_306_501 * 1.01, `${cost}`)
})
