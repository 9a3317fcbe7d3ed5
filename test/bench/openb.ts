/**
 * GPU allocation on the openb trace at 130 % demand, ours beside FGD, first, best, worst and random fit in one run.
 * `node test/bench/openb.ts --lists default,cpu100 --seeds 3 [--first-seed 42] [--json]`
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { nodeListFile, openbNodes, openbPods, podListFile } from '../../services/cli/simulate/openb.ts'
import {
  arrivalsOf,
  type DevicePolicyName,
  deviceCapacity,
  devicePolicies,
  runTrial,
} from '../../services/placement/index.ts'
import { seededRandom } from '../../services/shared/random.ts'

const folder = fileURLToPath(new URL('../../../shared/data/traces/openb/', import.meta.url))
/** GPU allocation of FGD as its authors published it: means of seeds 42 to 51. */
const published: Readonly<Record<string, number>> = {
  default: 95.39,
  gpuspec33: 94.55,
  cpu100: 95.35,
  multigpu30: 96.46,
}

export interface OpenbFigures {
  readonly list: string
  readonly seeds: readonly number[]
  /** Percentages, means over the seeds. */
  readonly gpuAllocation: number
  /** The worst and the best seed of ours. */
  readonly range: readonly [number, number]
  readonly fgd: number
  readonly fgdPublished: number | null
  readonly baselines: Readonly<Record<string, number>>
  /** Of ours, for all arrivals of one seed, on average. */
  readonly seconds: number
  /** Anything but 0 makes the figures worthless. */
  readonly overcommitted: number
}

/** Undefined when the trace is not beside the checkout. */
export function benchOpenb(lists: readonly string[], seeds: readonly number[]): OpenbFigures[] | undefined {
  if (!existsSync(folder + nodeListFile)) return undefined
  const nodes = openbNodes(readFileSync(folder + nodeListFile, 'utf8'), nodeListFile)
  return lists.map((list) => {
    const pods = openbPods(readFileSync(folder + podListFile(list), 'utf8'), podListFile(list))
    const measured = new Map<string, number[]>()
    let [seconds, overcommitted] = [0, 0]
    for (const seed of seeds) {
      const arrivals = arrivalsOf(pods, deviceCapacity(nodes), 1.3, seededRandom(seed).next)
      for (const name of Object.keys(devicePolicies) as DevicePolicyName[]) {
        const started = performance.now()
        const trial = runTrial(nodes, arrivals, pods, devicePolicies[name], seededRandom(seed + 1_000).next)
        if (name === 'gemeentecloud') seconds += (performance.now() - started) / 1_000 / seeds.length
        overcommitted += trial.overcommitted
        measured.set(name, [...(measured.get(name) ?? []), trial.allocation])
      }
    }
    const { gemeentecloud = [], fgd = [], ...others } = Object.fromEntries(measured)
    return {
      list,
      seeds,
      gpuAllocation: mean(gemeentecloud),
      range: [rounded(Math.min(...gemeentecloud)), rounded(Math.max(...gemeentecloud))] as const,
      fgd: mean(fgd),
      fgdPublished: published[list] ?? null,
      baselines: Object.fromEntries(Object.entries(others).map(([name, values]) => [name, mean(values)])),
      seconds: rounded(seconds),
      overcommitted,
    }
  })
}

const rounded = (value: number) => Math.round(100 * value) / 100
const mean = (values: readonly number[]) => rounded(values.reduce((sum, value) => sum + value, 0) / values.length)

export const openbLists = Object.keys(published)
export const openbSeeds = (count: number, first = 42) => Array.from({ length: count }, (_, i) => first + i)

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      lists: { type: 'string', default: openbLists.join(',') },
      seeds: { type: 'string', default: '10' },
      'first-seed': { type: 'string', default: '42' },
      json: { type: 'boolean', default: false },
    },
  })
  const seeds = openbSeeds(Number(values.seeds), Number(values['first-seed']))
  const figures = benchOpenb(values.lists.split(','), seeds)
  if (!figures) console.log(`The openb trace is not at ${folder}; nothing is measured.`)
  else if (values.json) console.log(JSON.stringify(figures, null, 2))
  else console.table(figures.map(({ baselines, range, ...rest }) => ({ ...rest, seeds: seeds.length, ...baselines })))
}
