/** The guard of one node: which containers may start, which must die, from deadlines that it holds itself. */
import { type Epoch, isLater } from '../epoch.ts'
import type { ActivityClass, GuardAnswer, GuardAsk, HostingId, NodeId } from '../messages.ts'
import { nothing, type Step } from '../step.ts'

/** On the node's disk; the clock is the one that counts on while the machine sleeps, and is worth nothing after a boot. */
export interface StoredGrant {
  readonly hosting: HostingId
  readonly epoch: Epoch
  readonly activity: ActivityClass
  readonly deadlineMs: number
}

export interface GuardDisk {
  readonly boot: string
  /** Lives of the guard so far, so that its questions are in order over all of them. */
  readonly life: number
  readonly grants: readonly StoredGrant[]
}

export type GuardEffect = { do: 'answer-agent'; message: GuardAsk } | { do: 'kill'; hosting: HostingId }

export interface Guard {
  readonly node: NodeId
  readonly boot: string
  readonly life: number
  grants: Map<HostingId, StoredGrant>
  ordered: Set<HostingId>
  agent: number
  seq: number
  askedAtMs: number
}

/**
 * After a boot no deadline is believed: the containers are gone, and the gate stays shut until the agent has answered.
 * What is returned beside it is to be durable before the first question.
 */
export function startGuard(node: NodeId, boot: string, disk: GuardDisk | undefined): [Guard, Step<GuardDisk, never>] {
  const kept = disk?.boot === boot ? disk.grants : []
  const life = (disk?.life ?? 0) + 1
  const guard: Guard = {
    node,
    boot,
    life,
    grants: new Map(kept.map((grant) => [grant.hosting, grant])),
    ordered: new Set(),
    agent: 0,
    seq: life * 2 ** 32,
    askedAtMs: 0,
  }
  return [guard, { writes: [{ boot, life, grants: kept }], after: () => [] }]
}

/** The start gate: whether a pod labelled with `label` may run here now. */
export function mayStart(guard: Guard, hosting: HostingId, label: Epoch, nowMs: number): boolean {
  const grant = guard.grants.get(hosting)
  return grant !== undefined && !isLater(label, grant.epoch) && grant.deadlineMs > nowMs
}

/** Regularly, with the hostings that have a container here: asks anew, and kills what may not run. */
export function guardTick(guard: Guard, running: ReadonlySet<HostingId>, nowMs: number): Step<GuardDisk, GuardEffect> {
  guard.seq += 1
  guard.askedAtMs = nowMs
  const present = [...new Set([...running, ...guard.grants.keys()])].sort()
  const message: GuardAsk = { kind: 'ask', node: guard.node, seq: guard.seq, agent: guard.agent, present }
  const kills = [...running].filter((hosting) => mustDie(guard, hosting, nowMs))
  return {
    writes: [],
    after: () => [...kills.map((hosting): GuardEffect => ({ do: 'kill', hosting })), { do: 'answer-agent', message }],
  }
}

function mustDie(guard: Guard, hosting: HostingId, nowMs: number): boolean {
  if (guard.ordered.has(hosting)) return true
  const grant = guard.grants.get(hosting)
  if (grant?.activity === 'pinned') return false
  return grant === undefined || grant.deadlineMs <= nowMs
}

/** The answer to the latest question; one to an earlier question says nothing that still holds. */
export function guardHears(guard: Guard, answer: GuardAnswer, nowMs: number): Step<GuardDisk, GuardEffect> {
  if (answer.seq !== guard.seq) return nothing
  const grants = new Map(guard.grants)
  for (const hosting of answer.over) grants.delete(hosting)
  for (const { hosting, epoch, activity, remainingMs } of answer.grants) {
    const held = grants.get(hosting)
    if (held && isLater(held.epoch, epoch)) continue
    grants.set(hosting, { hosting, epoch, activity, deadlineMs: guard.askedAtMs + remainingMs })
  }
  for (const [hosting, grant] of grants) {
    if (grant.activity === 'exclusive' && grant.deadlineMs <= nowMs) grants.delete(hosting)
  }
  return {
    writes: [{ boot: guard.boot, life: guard.life, grants: [...grants.values()] }],
    after: () => {
      // Not before it is on disk: a start that the gate let pass must be known to the guard's next life.
      Object.assign(guard, { agent: answer.agent, ordered: new Set(answer.over), grants })
      return []
    },
  }
}
