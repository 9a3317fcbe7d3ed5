/** `simulate --roadef`: a cheaper assignment for an instance of machine reassignment, and what the check says of it. */
import { existsSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  type Breach,
  type Cost,
  checkAssignment,
  type Instance,
  type SearchResult,
  searchInSteps,
} from '../../placement/index.ts'
import { seededRandom } from '../../shared/random.ts'
import { usage } from '../errors.ts'
import { readText } from '../files.ts'
import type { Io } from '../io.ts'
import { renderTable } from '../table.ts'
import { line, type Paint } from '../text.ts'
import { parseRoadef } from './roadef.ts'

const limitBytes = 2 ** 28
const seed = 1
/** How many breaches are told one by one. */
const mostTold = 10

export interface RoadefResult {
  readonly before: Cost
  readonly after: Cost
  /** Processes that end on another machine than they began. */
  readonly moved: number
  readonly processes: number
  readonly proposals: number
  readonly seconds: number
  /** What the check finds broken, in words; it shares no code with the search. */
  readonly broken: readonly string[]
}

export interface RoadefOptions {
  readonly model: string
  readonly assignment: string
  readonly seconds: number
  readonly outputFile?: string | undefined
}

/** `pause` gives way to whoever shows that something is going on, and is told the lowest cost so far. */
export async function runRoadef(
  io: Io,
  { model, assignment, seconds, outputFile }: RoadefOptions,
  pause: (cost: number) => Promise<void>,
): Promise<RoadefResult> {
  if (outputFile !== undefined) mayCreate(outputFile)
  const text = await readText(io, model, limitBytes)
  const instance = parseRoadef(text, await readText(io, assignment, limitBytes), { model, assignment })
  const { breaches, cost: before } = checkAssignment(instance, instance.initial)
  const wrong = breaches.filter(({ constraint }) => constraint !== 'capacity')
  if (wrong.length > 0) throw usage(`${assignment} breaks a constraint already: ${inWords(wrong).join('; ')}`)
  const started = io.clock.monotonic()
  const passed = () => (io.clock.monotonic() - started) / 1000
  const found = await searched(instance, () => passed() / seconds, pause)
  const verdict = checkAssignment(instance, found.assignment)
  if (outputFile !== undefined) write(outputFile, found.assignment)
  return {
    before,
    after: verdict.cost,
    moved: found.assignment.reduce((count, machine, p) => count + Number(machine !== instance.initial[p]), 0),
    processes: instance.processes,
    proposals: found.proposals,
    seconds: Math.round(passed() * 10) / 10,
    broken: inWords(verdict.breaches),
  }
}

async function searched(
  instance: Instance,
  progress: () => number,
  pause: (cost: number) => Promise<void>,
): Promise<SearchResult> {
  const steps = searchInSteps(instance, { random: seededRandom(seed).next, progress })
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    await pause(value)
  }
}

/** Finds out before the time is spent. */
function mayCreate(file: string): void {
  if (existsSync(file)) throw usage(`${file} is there already`)
  if (!existsSync(dirname(file))) throw usage(`${file} cannot be written: there is no such folder`)
}

/** One line, as the files of the challenge are; a file that is there is never written over. */
function write(file: string, assignment: Int32Array): void {
  try {
    writeFileSync(file, `${assignment.join(' ')}\n`, { flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    throw usage(`${file} cannot be written: ${code}`)
  }
}

const words: Readonly<Record<Breach['constraint'], (breach: Breach) => string>> = {
  capacity: ({ at, where }) => `machine ${at} has too little of resource ${where}`,
  conflict: ({ at, where }) => `service ${at} has two processes on machine ${where}`,
  spread: ({ at }) => `service ${at} is in too few locations`,
  dependency: ({ at, where }) => `service ${at} lacks in neighbourhood ${where} what it depends on`,
  moves: () => 'more processes move than may',
}

function inWords(breaches: readonly Breach[]): string[] {
  const told = breaches.slice(0, mostTold).map((breach) => words[breach.constraint](breach))
  return breaches.length > mostTold ? [...told, `and ${breaches.length - mostTold} more`] : told
}

const terms = {
  load: 'load',
  balance: 'balance',
  processMove: 'moves of processes',
  serviceMove: 'moves of services',
  machineMove: 'moves between machines',
  total: 'total',
} as const satisfies Record<keyof Cost, string>

export function roadefText(result: RoadefResult, paint: Paint): string {
  const { before, after, moved, processes, proposals, seconds, broken } = result
  const table = renderTable(
    [{ title: 'COST' }, { title: 'BEFORE', right: true }, { title: 'AFTER', right: true }],
    (Object.keys(terms) as (keyof Cost)[]).map((term) => [terms[term], figure(before[term]), figure(after[term])]),
    paint,
  )
  const verdict =
    broken.length === 0
      ? `${paint('good', 'The check finds every constraint kept.')}\n`
      : `${paint('bad', 'The check finds broken:')}\n${broken.map((text) => line`  ${text}\n`).join('')}`
  const percent = before.total > 0 ? ` (${((100 * after.total) / before.total).toFixed(2)} % of before)` : ''
  const effort = `${figure(proposals)} proposals in ${seconds} s`
  return `${table}\n${figure(moved)} of ${figure(processes)} processes move${percent}; ${effort}. ${verdict}`
}

/** A cost with its thousands apart; without bound while no machine may be as full as it is. */
export const figure = (value: number) => (Number.isFinite(value) ? value.toLocaleString('en') : 'any')
