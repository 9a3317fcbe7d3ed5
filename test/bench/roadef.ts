/**
 * How good re-planning is on the machine reassignment challenge of ROADEF/EURO 2012, against the best published costs:
 * `node test/bench/roadef.ts [--seconds 300] [--seed 1] [--json] [a1_1 b_2 …]`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { root } from '../../scripts/sources.ts'
import { parseRoadef } from '../../services/cli/simulate/roadef.ts'
import { checkAssignment, search } from '../../services/placement/index.ts'
import { seededRandom } from '../../services/shared/random.ts'

/** Where the instances stand beside the checkout; they are no part of it. */
const roadefData = `${root}../shared/data/traces/roadef2012`

/** The lowest cost published by a team of the challenge, or an exact solver's where that is lower. */
const published: Readonly<Record<string, number>> = {
  a1_1: 44_306_501,
  a1_2: 777_531_842,
  a1_3: 583_005_719,
  a1_4: 262_086_758,
  a1_5: 727_578_310,
  a2_1: 329,
  a2_2: 746_097_632,
  a2_3: 1_210_644_572,
  a2_4: 1_680_615_349,
  a2_5: 318_358_949,
  b_1: 3_353_533_859,
  b_2: 1_015_569_276,
  b_3: 157_091_678,
  b_4: 4_677_962_661,
}

export interface RoadefFigures {
  readonly instance: string
  readonly cost: number
  readonly best: number
  readonly gapPercent: number
  readonly seconds: number
  /** The independent check found no broken constraint and the same cost. */
  readonly checked: boolean
  readonly proposals: number
}

/** Undefined, with a sentence on the error output, when the data are not there. */
export function benchRoadef(
  seconds = 300,
  names: readonly string[] = Object.keys(published),
  seed = 1,
): RoadefFigures[] | undefined {
  if (!existsSync(roadefData)) {
    console.error(`skipped: the instances of ROADEF 2012 are not at ${roadefData}`)
    return undefined
  }
  return names.map((name) => measure(name, seconds, seed))
}

function measure(name: string, limitSeconds: number, seed: number): RoadefFigures {
  const read = (kind: string) => readFileSync(`${roadefData}/${kind}_${name}.txt`, 'utf8')
  const best = published[name]
  if (best === undefined) throw new Error(`no instance ${name}; there are ${Object.keys(published).join(', ')}`)
  // Reading counts, as it did in the challenge.
  const used = process.cpuUsage()
  const elapsedSeconds = () => {
    const { user, system } = process.cpuUsage(used)
    return (user + system) / 1e6
  }
  const instance = parseRoadef(read('model'), read('assignment'))
  const progress = () => elapsedSeconds() / limitSeconds
  const { assignment, cost, proposals } = search(instance, { random: seededRandom(seed).next, progress })
  const seconds = Math.round(elapsedSeconds() * 10) / 10
  const { breaches, cost: exact } = checkAssignment(instance, assignment)
  const gapPercent = Math.round((cost / best - 1) * 1e5) / 1e3
  const checked = breaches.length === 0 && exact.total === cost
  return { instance: name, cost, best, gapPercent, seconds, checked, proposals }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '300' },
      seed: { type: 'string', default: '1' },
    },
  })
  for (const name of positionals.length > 0 ? positionals : Object.keys(published)) {
    const figures = benchRoadef(Number(values.seconds), [name], Number(values.seed))
    if (!figures) break
    if (values.json) console.log(JSON.stringify(figures[0]))
    else console.table(figures)
  }
}
