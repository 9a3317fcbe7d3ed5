/** `simulate`: the engine on files, with no broker: what would be decided, and what the federation then looks like. */
import type { Command } from 'commander'
import { type ExitCode, exitCode, usage } from '../errors.ts'
import { wholeNumber } from '../flags.ts'
import type { Io } from '../io.ts'
import { action, type Session, type Shell } from '../session.ts'
import {
  Federation,
  Requests,
  readEvents,
  readShaped,
  type SimulatedEvent,
  type SimulatedRequest,
  wrong,
} from './documents.ts'
import { checkFederation, requestMistakes, twice } from './federation.ts'
import { openbText, runOpenb } from './openb-run.ts'
import { figure, type RoadefOptions, roadefText, runRoadef } from './roadef-run.ts'
import { simulate } from './simulation.ts'
import { summaryOf } from './summary.ts'
import { simulationText } from './view.ts'

interface SimulateOptions {
  openb?: string
  list: string
  seeds: number
  roadef?: string
  seconds: number
  outputFile?: string
}

const mostSeeds = 100
const mostSeconds = 86_400
/** Between two rests so that progress can be shown; a rest costs a turn of the loop. */
const workMs = 100

export function simulateCommands(program: Command, shell: Shell): void {
  program
    .command('simulate')
    .description('the engine on files: what would be placed where and why not, without a broker')
    .argument('[federation]', 'datacenters with inventory and offers, and systems; YAML or JSON')
    .argument('[requests]', 'hosting requests as the API takes them')
    .argument('[events]', 'what happens afterwards, and when')
    .option('--openb <directory>', 'the GPU trace in this directory instead, ours beside other policies')
    .option('--list <name>', 'of the trace: the list of pods', 'default')
    .option('--seeds <count>', 'of the trace: so many orders of arrival', wholeNumber, 1)
    .option('--roadef <model>', 'this instance of ROADEF 2012 instead, made cheaper; its assignment is the argument')
    .option('--seconds <count>', 'of the instance: how long to look', wholeNumber, 10)
    .option('--output-file <file>', 'of the instance: where the new assignment goes')
    .action(
      action<SimulateOptions>(shell, 'auditor', async (session, options, [federation, requests, events]) => {
        if (options.openb !== undefined) {
          if (federation !== undefined) throw usage('with --openb no files are given beside the directory')
          return trace(session, options.openb, options)
        }
        if (options.roadef !== undefined) {
          if (federation === undefined || requests !== undefined) throw usage('with --roadef MODEL give one ASSIGNMENT')
          return reassignment(session, { ...options, model: options.roadef, assignment: federation })
        }
        if (federation === undefined || requests === undefined) {
          throw usage('give a federation and requests, or --openb DIRECTORY, or --roadef MODEL', [
            'docs/examples/simulate has some.',
          ])
        }
        return files(session, federation, requests, events)
      }),
    )
}

async function trace(session: Session, folder: string, { list, seeds }: SimulateOptions): Promise<undefined> {
  if (!/^[a-z0-9]{1,40}$/.test(list)) throw usage('--list is a word such as default or multigpu30')
  if (seeds < 1 || seeds > mostSeeds) throw usage(`--seeds is 1 to ${mostSeeds}`)
  const results = await session.during('placing', runOpenb(session.io, { folder, list, seeds }, breather(session.io)))
  await session.show({ list, seeds, results }, () => openbText(results, session.paint))
}

async function reassignment(session: Session, options: RoadefOptions): Promise<ExitCode | undefined> {
  const { seconds } = options
  if (seconds < 1 || seconds > mostSeconds) throw usage(`--seconds is 1 to ${mostSeconds}`)
  const pause = breather(session.io)
  let cost = Number.POSITIVE_INFINITY
  const work = runRoadef(session.io, options, (lowest) => {
    cost = lowest
    return pause()
  })
  const result = await session.during(() => `looking for what is cheaper than ${figure(cost)}`, work)
  await session.show(result, () => roadefText(result, session.paint))
  return result.broken.length > 0 ? exitCode.refused : undefined
}

async function files(
  session: Session,
  federationFile: string,
  requestsFile: string,
  eventsFile: string | undefined,
): Promise<ExitCode | undefined> {
  const { io } = session
  const federation = await readShaped(io, federationFile, Federation)
  checkFederation(federationFile, federation)
  const { requests } = await readShaped(io, requestsFile, Requests)
  checkRequests(requestsFile, requests, federation)
  const events = eventsFile === undefined ? [] : await readEvents(io, eventsFile)
  const start = federation.at === undefined ? io.clock.now() : Date.parse(federation.at)
  checkEvents(eventsFile ?? '', events, requests, federation, start)
  const simulated = await session.during('simulating', simulate(federation, requests, events, start, breather(io)))
  const summary = summaryOf(simulated)
  const { steps } = simulated
  await session.show({ steps, summary }, () => simulationText(steps, summary, session.paint))
  return summary.broken.length > 0 ? exitCode.refused : undefined
}

function checkRequests(file: string, requests: readonly SimulatedRequest[], { systems }: Federation): void {
  const found = [
    ...requests.flatMap((request, at) => requestMistakes(request, systems, `/requests/${at}`)),
    ...twice(requests, ({ name }) => name).map((at) => `/requests/${at}/name stands twice`),
  ]
  if (found.length > 0) throw wrong(file, found)
}

/** That every event names what there is, or will be, and none comes before the beginning. */
function checkEvents(
  file: string,
  events: readonly SimulatedEvent[],
  requests: readonly SimulatedRequest[],
  { datacenters, systems }: Federation,
  start: number,
): void {
  const asked = events.flatMap((event) => (event.type === 'hosting.requested' ? [event.request] : []))
  const names = new Set([...requests, ...asked].map(({ name }) => name))
  const repeated = new Set(twice([...requests, ...asked], ({ name }) => name).map((at) => [...requests, ...asked][at]))
  const nodes = new Map(datacenters.map(({ slug, inventory }) => [slug, new Set(inventory.nodes.map((n) => n.name))]))
  const found = events.flatMap((event, at): string[] => {
    const pointer = `/events/${at}`
    const early = Date.parse(event.at) < start ? [`${pointer}/at is before the simulation begins`] : []
    if (event.type === 'hosting.requested') {
      const mistakes = requestMistakes(event.request, systems, `${pointer}/request`)
      return [...early, ...mistakes, ...(repeated.has(event.request) ? [`${pointer}/request/name stands twice`] : [])]
    }
    if (event.type === 'hosting.ended') {
      return [...early, ...(names.has(event.hosting) ? [] : [`${pointer}/hosting is asked nowhere`])]
    }
    const known = nodes.get(event.datacenter)
    if (!known) return [...early, `${pointer}/datacenter is none of the federation`]
    return [...early, ...('node' in event && !known.has(event.node) ? [`${pointer}/node is none of its nodes`] : [])]
  })
  if (found.length > 0) throw wrong(file, found)
}

/** Rests now and then, so that the sign of life is shown during work that awaits nothing. */
function breather({ clock }: Io): () => Promise<void> {
  let rested = clock.monotonic()
  return async () => {
    if (clock.monotonic() - rested < workMs) return
    await clock.sleep(1)
    rested = clock.monotonic()
  }
}
