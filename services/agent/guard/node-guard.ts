/** The guard of a node at work: looks, asks, opens gates and ends what may not run, once a second and from its own deadlines. */
import { type Guard, guardHears, guardTick, mayStart, startGuard } from '../../fallback/index.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import type { GuardReply } from '../fallback/guard-wire.ts'
import type { AgentLine } from './ask.ts'
import type { Boot } from './boot.ts'
import type { Runtime } from './cri/runtime.ts'
import { createEnding, type Ending, shares } from './ending.ts'
import { type GuardFile, isKept, type Stored } from './file.ts'
import { openCommand } from './gate.ts'
import type { GuardMetrics } from './metrics.ts'
import { type GuardedPod, type Present, passed, sortPods } from './pods.ts'
import type { Watchdog } from './watchdog.ts'

export interface GuardOptions {
  readonly node: string
  readonly boot: Boot
  readonly file: GuardFile
  readonly runtime: Runtime
  readonly line: AgentLine
  readonly watchdog: Watchdog | undefined
  readonly gateImage: string | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: GuardMetrics
}

export interface NodeGuard {
  /** Why it cannot do its work, if so. */
  trouble(): string | undefined
  /** Resolves when the turn under way is over. Nothing is ended by stopping. */
  stop(): Promise<void>
}

interface State extends GuardOptions {
  readonly guard: Guard
  readonly ending: Ending
  /** What is on disk; undefined until this life is. */
  kept: Stored | undefined
  wanted: Stored
  present: Present
  hasSeen: boolean
  /** Sandboxes whose gate was opened, and those where that is under way or done. */
  readonly opened: Set<string>
  readonly ordered: Set<string>
  /** One write at a time: two at once would tear the file. */
  isWriting: boolean
  readonly troubles: Map<string, string>
}

const turnMs = 1_000
/** Until an agent has said what S is here, the shortest there is; and what is too short to work with. */
const firstStopMs = 6_000
const leastStopMs = 1_000
/** A node whose disk is new begins above every earlier life of its name: lives are counted in steps of ten minutes. */
const firstLife = (nowMs: number) => Math.max(0, Math.floor((nowMs - Date.UTC(2025, 0)) / 600_000))

export async function startNodeGuard(options: GuardOptions): Promise<NodeGuard> {
  const { node, boot, file, runtime, metrics, log, clock } = options
  const stored = (await file.read()) ?? { boot: '', life: firstLife(clock.now()), grants: [] }
  const [guard, step] = startGuard(node, boot.id, stored)
  const state: State = {
    ...options,
    guard,
    ending: createEnding(runtime, metrics, log),
    kept: undefined,
    wanted: { ...stored, ...step.writes[0] } as Stored,
    present: { running: new Map(), waiting: [] },
    hasSeen: false,
    opened: new Set(),
    ordered: new Set(),
    isWriting: false,
    troubles: new Map(),
  }
  const stopping = new AbortController()
  const running = loop(state, stopping.signal)
  return {
    trouble: () => [...state.troubles.values()][0],
    async stop() {
      stopping.abort('stopped')
      await running
      await state.ending.settled()
      state.watchdog?.close(state.present.running.size === 0)
      state.line.close()
      runtime.close()
    },
  }
}

async function loop(state: State, signal: AbortSignal): Promise<void> {
  const { clock } = state
  // Before anything is ended on deadlines that may be old, the agent is given the time of one turn to renew them.
  await look(state)
  await Promise.race([tick(state, { mayEnd: false }), clock.sleep(turnMs, signal).catch(() => undefined)])
  while (!signal.aborted) {
    const beganAt = clock.monotonic()
    await look(state)
    tick(state, { mayEnd: true })
    pat(state)
    await clock.sleep(Math.max(0, beganAt + turnMs - clock.monotonic()), signal).catch(() => undefined)
  }
}

const stopMsOf = ({ wanted }: State) => Math.max(leastStopMs, wanted.stopMs ?? firstStopMs)

/** What is seen of the node; when nothing is, what was seen last still stands. */
async function look(state: State): Promise<void> {
  const { runtime, opened, ordered, gateImage, wanted } = state
  await attempt(state, 'list', 'the container runtime does not answer', async () => {
    const listed = await runtime.list(stopMsOf(state) * shares.call)
    const sandboxes = new Set(listed.sandboxes.map(({ id }) => id))
    for (const set of [opened, ordered]) for (const id of set) if (!sandboxes.has(id)) set.delete(id)
    state.present = sortPods(listed, { spaces: wanted.spaces, opened, gateImage })
    state.hasSeen = true
  })
}

/** Resolves when the agent has answered, or has not. */
function tick(state: State, { mayEnd }: { readonly mayEnd: boolean }): Promise<void> {
  const { guard, boot, present, ending } = state
  const nowMs = boot.now()
  const effects = guardTick(guard, new Set(present.running.keys()), nowMs).after(nowMs)
  const overdue = new Set(effects.flatMap((effect) => (effect.do === 'kill' ? [effect.hosting] : [])))
  if (mayEnd) {
    ending.count(overdue, nowMs)
    for (const hosting of overdue) ending.end(present.running.get(hosting) ?? [], stopMsOf(state))
  }
  openGates(state, nowMs)
  const question = effects.find((effect) => effect.do === 'answer-agent')
  return question ? ask(state, question.message) : Promise.resolve()
}

/** From the order on a pod counts as running: it may be carried out whatever becomes of its answer. */
function openGates(state: State, nowMs: number): void {
  const { guard, present, opened, ordered } = state
  const mayPass = ({ gate, hosting, label }: GuardedPod) => gate !== undefined && mayStart(guard, hosting, label, nowMs)
  const shut = present.waiting.filter(mayPass)
  const failed = [...present.running.values()].flat().filter((pod) => mayPass(pod) && !ordered.has(pod.sandbox))
  for (const { sandbox } of shut) opened.add(sandbox)
  state.present = passed(present, shut)
  for (const pod of [...shut, ...failed]) open(state, pod)
}

async function open(state: State, pod: GuardedPod): Promise<void> {
  const { runtime, ordered, metrics, log } = state
  const { gate = '', hosting, sandbox, name } = pod
  ordered.add(sandbox)
  try {
    await runtime.run(gate, openCommand, stopMsOf(state) * shares.call)
    log.info({ hosting, pod: name }, 'opened the gate of a pod')
  } catch (error) {
    ordered.delete(sandbox)
    metrics.failed('open')
    log.warn({ err: error, pod: name }, 'the gate of a pod did not open')
  }
}

/** Nothing is asked while the node is not seen, since what the question says of it must be so; nor by a life not on disk. */
async function ask(state: State, message: Parameters<AgentLine['ask']>[0]): Promise<void> {
  if (!state.kept) await keep(state, state.wanted)
  if (!state.kept || state.troubles.has('list')) return
  await attempt(state, 'ask', 'the agent does not answer', async () => {
    await hear(state, await state.line.ask(message, turnMs))
  })
}

async function hear(state: State, { answer, spaces, stopMs }: GuardReply): Promise<void> {
  const { guard, boot, metrics } = state
  const step = guardHears(guard, answer, boot.now())
  const [disk] = step.writes
  if (!disk) return
  if (await keep(state, { ...disk, spaces, stopMs })) step.after(boot.now())
  metrics.answered()
  metrics.grants(guard.grants.size)
}

/** Whether it is on disk. */
async function keep(state: State, wanted: Stored): Promise<boolean> {
  if (state.isWriting) return false
  if (isKept(state.kept, wanted)) {
    state.wanted = wanted
    return true
  }
  state.isWriting = true
  const isWritten = await attempt(state, 'write', 'the disk of the node does not keep what it is given', async () => {
    await state.file.write(wanted)
    Object.assign(state, { kept: wanted, wanted })
  })
  state.isWriting = false
  return isWritten
}

/** While something should long be gone the machine is left to its watchdog; so it is before anything was ever seen. */
function pat(state: State): void {
  const { watchdog, ending, boot, hasSeen } = state
  if (!watchdog || !hasSeen || ending.longestMs(boot.now()) > stopMsOf(state) * shares.stuck) return
  attempt(state, 'watchdog', 'the watchdog cannot be patted', async () => watchdog.pat())
}

async function attempt(
  { troubles, metrics, log }: State,
  what: Parameters<GuardMetrics['failed']>[0],
  trouble: string,
  task: () => Promise<void>,
): Promise<boolean> {
  try {
    await task()
    if (troubles.delete(what)) log.info({ what }, 'works again')
    return true
  } catch (error) {
    metrics.failed(what)
    if (!troubles.has(what)) log.error({ err: error }, trouble)
    troubles.set(what, trouble)
    return false
  }
}
