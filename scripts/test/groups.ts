/** The groups of tests (one folder of test/ each), and what of the machine each cannot do without. */
import { execFileSync } from 'node:child_process'
import { buildPrograms, missingForClusters } from '../../test/clusters/build.ts'
import { typescriptFiles } from '../sources.ts'

export interface Group {
  readonly name: string
  readonly files: readonly string[]
  /** Why this machine cannot run it, and what would help; undefined when it can. */
  readonly missing: string | undefined
  /** What has to be made before its files run, outside their time limits. */
  readonly prepare: (() => Promise<unknown>) | undefined
  /** How many of its files run beside each other. */
  readonly atOnce: number
  /** Those of them that compute little: one more of these runs beside the others. */
  readonly waiting: readonly string[]
  /** Those of them that run by themselves when the others are done, because they measure how long something takes. */
  readonly measuring: readonly string[]
  /** For each file. */
  readonly timeoutSeconds: number
}

interface Traits {
  readonly missing?: () => Promise<string | undefined> | string | undefined
  readonly prepare?: () => Promise<unknown>
  readonly atOnce?: number
  readonly waiting?: readonly string[]
  readonly measuring?: readonly string[]
  readonly timeoutSeconds?: number
}

/** Some of its tests want kubectl; where it cannot be built they say so themselves. */
const someKubectl: Traits = {
  prepare: async () => ((await missingForClusters()) === undefined ? buildPrograms() : undefined),
}
const kubernetes: Traits = { missing: missingForClusters, prepare: buildPrograms, atOnce: 1 }
/** Of the API: leases run out here, for which a quarter of a core is enough. */
const waiting = ['another-standby', 'fallback-crashes', 'fences'].map((name) => `test/api/${name}.test.ts`)
/** Of the clusters: leases and cuts have limits of seconds here. */
const measuring = ['agent-replicas', 'cut-networks', 'failover', 'fallback-site', 'gate', 'networks', 'runtime'].map(
  (name) => `test/clusters/${name}.test.ts`,
)

/** Folders that are not named here need nothing and run beside others. */
const traits: Readonly<Record<string, Traits>> = {
  unit: { timeoutSeconds: 150 },
  api: { waiting, timeoutSeconds: 600 },
  sandbox: { ...someKubectl, timeoutSeconds: 240 },
  simulation: { timeoutSeconds: 900 },
  faults: { atOnce: 1, timeoutSeconds: 600 },
  system: { ...someKubectl, atOnce: 1, timeoutSeconds: 300 },
  // Each takes a third of two cores over its time; what it waits for has limits of a minute and more.
  clusters: { ...kubernetes, atOnce: 2, measuring, timeoutSeconds: 600 },
  dashboards: { missing: () => programs('prometheus', 'promtool'), atOnce: 1, timeoutSeconds: 300 },
  deploy: { ...kubernetes, timeoutSeconds: 600 },
  browser: { missing: () => programs('chromium'), atOnce: 1, timeoutSeconds: 300 },
}

const first = ['unit', 'api']

/** Every group that has a test, the quick ones first, those that want the machine for themselves last. */
export async function testGroups(): Promise<Group[]> {
  const files = typescriptFiles('test').filter((file) => file.endsWith('.test.ts'))
  const homeless = files.filter((file) => file.split('/').length < 3)
  if (homeless.length > 0)
    throw new Error(`a test stands in the folder of its group; these do not: ${homeless.join(', ')}`)
  const names = [...new Set(files.map((file) => file.split('/')[1] ?? ''))]
  const isLast = (name: string) => traits[name]?.atOnce === 1 || traits[name]?.measuring !== undefined
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : isLast(name) ? 3 : 2)
  const sorted = names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
  return Promise.all(
    sorted.map(async (name) => {
      const { missing, prepare, atOnce = 2, waiting = [], measuring = [], timeoutSeconds = 180 } = traits[name] ?? {}
      return {
        name,
        files: files.filter((file) => file.startsWith(`test/${name}/`)),
        missing: await missing?.(),
        prepare,
        atOnce,
        waiting,
        measuring,
        timeoutSeconds,
      }
    }),
  )
}

/** Says which of the programs are not in the PATH, all of them Debian packages. */
function programs(...names: string[]): string | undefined {
  const absent = names.filter((name) => output('sh', '-c', 'command -v "$1"', 'sh', name) === undefined)
  return absent.length === 0
    ? undefined
    : `${absent.join(' and ')} not found; on Debian: apt-get install prometheus chromium`
}

function output(program: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return undefined
  }
}
