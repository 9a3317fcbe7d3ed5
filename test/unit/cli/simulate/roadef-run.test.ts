/** `simulate --roadef` from its files to its last line: costs before and after, the check, the new assignment, mistakes. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { RoadefResult } from '../../../../services/cli/simulate/roadef-run.ts'
import { type Clock, systemClock } from '../../../../services/shared/clock.ts'
import { cli } from '../fake-io.ts'

const folder = mkdtempSync(join(tmpdir(), 'roadef-'))
t.teardown(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Two machines of 10 that cost 5 for each unit above 4; four processes of 4, each a service, all on the first: 12 × 5. */
const head = ['1', '0 5', '2', '0 0 16 4 0 3', '0 1 10 4 2 0', '4', '1 0', '1 0', '1 0', '1 0']
const model = file('model.txt', [...head, '4', '0 4 7', '1 4 1', '2 4 2', '3 4 9', '0', '1 10 1'].join('\n'))
const assignment = file('assignment.txt', '0 0 0 0\n')

/** A second passes each time somebody looks, so that a search of some seconds ends after a few looks. */
function fleeting(): Clock {
  let ms = 0
  return {
    ...systemClock,
    monotonic: () => {
      ms += 100
      return ms
    },
  }
}

const run = (...more: string[]) => cli(['simulate', '--roadef', model, ...more], { clock: fleeting() })

t.test('The cheapest assignment, its costs term by term, and the file of it', async () => {
  const target = join(folder, 'new.txt')
  const { code, out, err } = await run(assignment, '--seconds', '3', '--output-file', target, '-o', 'json')
  assert.deepEqual([code, err], [0, ''])
  const result: RoadefResult = JSON.parse(out)
  // One of the four moves, the cheapest: 1, 10 because a service moves one, 3 for the way. A second would save nothing.
  assert.deepEqual(result.before, { load: 60, balance: 0, processMove: 0, serviceMove: 0, machineMove: 0, total: 60 })
  assert.deepEqual(result.after, { load: 40, balance: 0, processMove: 1, serviceMove: 10, machineMove: 3, total: 54 })
  assert.deepEqual([result.moved, result.processes, result.broken], [1, 4, []])
  assert.equal(readFileSync(target, 'utf8'), '0 1 0 0\n')
})

t.test('What is there already is not written over, and that is said before the search', async () => {
  const target = file('there.txt', 'mine')
  const { code, err } = await run(assignment, '--output-file', target)
  assert.equal(code, 2)
  assert.match(err, /there\.txt is there already/)
  assert.equal(readFileSync(target, 'utf8'), 'mine')
})

t.test('For people: a table, how many move, and the word of the check', async () => {
  const { code, out } = await run(assignment, '--seconds', '3')
  assert.equal(code, 0)
  assert.match(out, /^COST +BEFORE +AFTER$/m)
  assert.match(out, /^total +60 +54$/m)
  assert.match(out, /^1 of 4 processes move \(90\.00 % of before\); .* The check finds every constraint kept\.$/m)
})

t.test('Where the machines stay overfull, the check says which, and the command is refused', async () => {
  const small = file(
    'small.txt',
    readFileSync(model, 'utf8').replace('0 0 16 4', '0 0 1 0').replace('0 1 10 4', '0 1 1 0'),
  )
  const { code, out } = await cli(['simulate', '--roadef', small, assignment, '--seconds', '3'], { clock: fleeting() })
  assert.equal(code, 1)
  assert.match(out, /The check finds broken:\n {2}machine 0 has too little of resource 0$/m)
})

const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no assignment', [], /with --roadef MODEL give one ASSIGNMENT/],
  ['two assignments', [assignment, assignment], /with --roadef MODEL give one ASSIGNMENT/],
  ['no time', [assignment, '--seconds', '0'], /--seconds is 1 to 86400/],
  ['a folder that is not there', [assignment, '--output-file', join(folder, 'no', 'new.txt')], /no such folder/],
]
for (const [name, args, message] of mistakes) {
  t.test(`A mistake is told: ${name}`, async () => {
    const { code, err } = await run(...args)
    assert.equal(code, 2)
    assert.match(err, message)
  })
}

t.test('An assignment to begin with that breaks a constraint is named with what it breaks', async () => {
  const twice = file('twice.txt', readFileSync(model, 'utf8').replace('1 4 1', '0 4 1'))
  const { code, err } = await cli(['simulate', '--roadef', twice, assignment], { clock: fleeting() })
  assert.equal(code, 2)
  assert.match(err, /assignment\.txt breaks a constraint already: service 0 has two processes on machine 0/)
})
