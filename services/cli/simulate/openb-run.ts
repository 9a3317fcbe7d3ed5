/** `simulate --openb`: the GPU trace by every policy, over the seeds asked for; how much of the devices ends in use. */
import { join } from 'node:path'
import {
  arrivalsOf,
  type DevicePolicyName,
  deviceCapacity,
  devicePolicies,
  runTrial,
  type Trial,
} from '../../placement/index.ts'
import { seededRandom } from '../../shared/random.ts'
import { readText } from '../files.ts'
import type { Io } from '../io.ts'
import { renderTable } from '../table.ts'
import type { Paint } from '../text.ts'
import { nodeListFile, openbLimitBytes, openbNodes, openbPods, podListFile } from './openb.ts'

/** As in the published experiment: the demand for devices, as a part of the capacity, and the first seed. */
const demandRatio = 1.3
const firstSeed = 42

export interface OpenbResult {
  readonly policy: DevicePolicyName
  /** Percentage, the mean over the seeds. */
  readonly gpuAllocation: number
  readonly lowest: number
  readonly highest: number
  /** Pods refused, on average. */
  readonly refused: number
  readonly overcommitted: number
}

/** `pause` gives way between runs, to whoever shows that something is going on. */
export async function runOpenb(
  io: Io,
  { folder, list, seeds }: { folder: string; list: string; seeds: number },
  pause: (done: number) => Promise<void>,
): Promise<OpenbResult[]> {
  const [nodeFile, podFile] = [join(folder, nodeListFile), join(folder, podListFile(list))]
  const nodes = openbNodes(await readText(io, nodeFile, openbLimitBytes), nodeFile)
  const pods = openbPods(await readText(io, podFile, openbLimitBytes), podFile)
  const results: OpenbResult[] = []
  let done = 0
  for (const policy of Object.keys(devicePolicies) as DevicePolicyName[]) {
    const trials: Trial[] = []
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      await pause(done++)
      const arrivals = arrivalsOf(pods, deviceCapacity(nodes), demandRatio, seededRandom(seed).next)
      trials.push(runTrial(nodes, arrivals, pods, devicePolicies[policy], seededRandom(seed + 1_000).next))
    }
    results.push(resultOf(policy, trials))
  }
  return results.sort((a, b) => b.gpuAllocation - a.gpuAllocation)
}

function resultOf(policy: DevicePolicyName, trials: readonly Trial[]): OpenbResult {
  const allocations = trials.map(({ allocation }) => allocation)
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    policy,
    gpuAllocation: rounded(mean(allocations)),
    lowest: rounded(Math.min(...allocations)),
    highest: rounded(Math.max(...allocations)),
    refused: Math.round(mean(trials.map(({ refused }) => refused))),
    overcommitted: trials.reduce((sum, { overcommitted }) => sum + overcommitted, 0),
  }
}

const rounded = (value: number) => Math.round(100 * value) / 100

export function openbText(results: readonly OpenbResult[], paint: Paint): string {
  return renderTable(
    [
      { title: 'POLICY' },
      { title: 'GPU ALLOCATION', right: true },
      { title: 'LOWEST', right: true },
      { title: 'HIGHEST', right: true },
      { title: 'PODS REFUSED', right: true },
      { title: 'OVERCOMMITTED', right: true },
    ],
    results.map(({ policy, gpuAllocation, lowest, highest, refused, overcommitted }) => [
      policy,
      `${gpuAllocation.toFixed(2)} %`,
      lowest.toFixed(2),
      highest.toFixed(2),
      String(refused),
      String(overcommitted),
    ]),
    paint,
  )
}
