/** Re-planning in a thread of its own, so that nothing waits for it; killed when its time is over, never without a plan. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Clock } from '../../shared/clock.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Snapshot } from '../model.ts'
import type { Goal, Limits, Plan } from '../replan/model.ts'
import { attempt, replan, withTargets } from '../replan/replan.ts'
import { formulate, targetsFrom } from './model.ts'

export interface PlanTask {
  readonly snapshot: Snapshot
  /** Epoch milliseconds. */
  readonly now: number
  readonly goal: Goal
  readonly limits?: Partial<Limits>
  readonly seed: number
  /** For all of it; then the thread is killed. */
  readonly seconds: number
}

/**
 * What the solver added. `proved`: the bound is its own. `not-tried`: too large for it, or a goal it does not know.
 * `late`: killed, or it gave up. `failed`: it crashed or gave an answer that cannot be.
 */
export type SolverOutcome = 'proved' | 'not-tried' | 'late' | 'failed'

export interface Planned {
  readonly plan: Plan
  readonly solver: SolverOutcome
}

interface Report extends Planned {
  readonly last: boolean
}

/** More options than these are no small instance. */
const mostOptions = 1_500
const mark = 'gemeentecloud re-planning'

/**
 * The best plan that the thread has made when it ends or its time does; when it has made none, one without any search, made
 * here. Never rejects but for a goal or snapshot that no plan can be made of. `program`: another thread in its stead.
 */
export async function planInThread(
  task: PlanTask,
  clock: Pick<Clock, 'sleep'>,
  program: URL = new URL(import.meta.url),
): Promise<Planned> {
  let found: Planned | undefined
  const worker = new Worker(program, { workerData: { mark, task } })
  const over = new AbortController()
  const ended = new Promise<SolverOutcome>((resolve) => {
    worker.on('message', (report: Report) => {
      found = { plan: report.plan, solver: report.solver }
      if (report.last) resolve(report.solver)
    })
    worker.on('error', () => resolve('failed'))
    worker.on('exit', () => resolve('failed'))
  })
  const late = clock.sleep(task.seconds * 1000, over.signal).then(
    (): SolverOutcome => 'late',
    (): SolverOutcome => 'late',
  )
  const solver = await Promise.race([ended, late])
  over.abort()
  await worker.terminate()
  return { plan: found?.plan ?? unsearched(task), solver }
}

function unsearched({ snapshot, now, goal, limits, seed }: PlanTask): Plan {
  return replan(snapshot, now, goal, { ...limits, work: 0 }, seededRandom(seed).next)
}

/** The thread: tells the plan of the search at once, then what the solver makes of it. */
async function run({ snapshot, now, goal, limits = {}, seed, seconds }: PlanTask, tell: (report: Report) => void) {
  const made = attempt(snapshot, now, goal, limits, seededRandom(seed).next)
  const { plan, scene, bonds } = made
  const formulation =
    goal.kind === 'rebalance' || scene.must.size === 0 ? undefined : formulate(scene, bonds, mostOptions)
  if (!formulation) return tell({ plan, solver: 'not-tried', last: true })
  tell({ plan, solver: 'late', last: false })
  const { solve } = await import('./highs.ts')
  const solved = await solve(formulation.program, seconds)
  if (solved.status !== 'optimal') {
    // That all stay where they are is always a solution, so that there is none cannot be.
    return tell({ plan, solver: solved.status === 'late' ? 'late' : 'failed', last: true })
  }
  const [unmoved = 0, ejected = 0, weighed = 0] = solved.values
  const targets = targetsFrom(formulation, scene, bonds, solved.chosen)
  const better = withTargets(made, targets, { unmoved, ejected, weighed, by: 'highs' })
  tell({ plan: better, solver: 'proved', last: true })
}

const given = workerData as { mark?: string; task?: PlanTask } | undefined
if (!isMainThread && given?.mark === mark && given.task)
  await run(given.task, (report) => parentPort?.postMessage(report))
