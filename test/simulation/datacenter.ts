/** A datacenter: its agent, its nodes, and the wishes that stand in its cluster. */
import type {
  Epoch,
  FromSite,
  Profile,
  SiteDisk,
  SiteEffect,
  SiteEvent,
  SiteWrite,
} from '../../services/fallback/index.ts'
import type { Random } from '../../services/shared/random.ts'
import { createActor } from './actor.ts'
import type { Core } from './core.ts'
import { createDisk } from './disk.ts'
import type { Grant } from './guard.ts'
import type { Network } from './network.ts'
import { createNode, type Node } from './node.ts'
import { createMachineClock, type Time } from './time.ts'

export interface DatacenterSetup {
  readonly core: Core
  readonly time: Time
  readonly random: Random
  readonly network: Network
  readonly id: string
  readonly nodeCount: number
  readonly profile: Profile
  readonly tellDesk: (from: string, message: FromSite) => void
  readonly peer: (id: string) => Datacenter | undefined
  readonly started: (
    datacenter: Datacenter,
    hosting: string,
    epoch: Epoch,
    gate: { grant?: Grant; nowMs: number },
  ) => void
  readonly lasted: (datacenter: Datacenter, hosting: string, grant: Grant | undefined, nowMs: number) => void
  /** Called after an agent has dealt with something, for what is always true. */
  readonly stepped: (datacenter: Datacenter, event: SiteEvent) => void
}

export type Datacenter = ReturnType<typeof createDatacenter>

export function createDatacenter(setup: DatacenterSetup) {
  const { core, time, random, network, id, profile } = setup
  const clock = createMachineClock(time, random, profile.drift)
  const disk = createDisk<SiteDisk>(time, random)
  /** In the cluster's own store: outlives agents, and nodes without power. */
  const wanted = new Map<string, Epoch>()
  const nodes: Node[] = []
  let site: ReturnType<Core['startSite']>[0] | undefined
  let ticking = 0
  let isOn = false
  let isGone = false
  let isFull = false

  const agent = createActor<SiteEvent, SiteWrite, SiteEffect>({
    nowMs: clock.read,
    begin() {
      const [made, step] = core.startSite(
        { id, profile, nodes: nodes.map((node) => node.id) },
        disk.state,
        clock.read(),
      )
      site = made
      tick(++ticking)
      return step
    },
    handle(event) {
      if (!site) return core.nothing
      const step = core.siteHears(site, event, () => !isFull, clock.read())
      return {
        writes: step.writes,
        after: (nowMs) => {
          const effects = step.after(nowMs)
          setup.stepped(datacenter, event)
          return effects
        },
      }
    },
    commit: (writes, done) =>
      disk.write(
        (state) => merged(state, writes),
        () => done(true),
      ),
    perform: (effects) => effects.forEach(perform),
  })

  function perform(effect: SiteEffect): void {
    switch (effect.do) {
      case 'tell-desk':
        setup.tellDesk(id, effect.message)
        break
      case 'tell-site': {
        const peer = setup.peer(effect.to)
        network.send(id, effect.to, () => peer?.hear({ kind: 'peer', from: id, message: effect.message }))
        break
      }
      case 'tell-guard': {
        const node = nodes.find((each) => each.id === effect.message.node)
        network.send(id, effect.message.node, () => node?.hear(effect.message))
        break
      }
      case 'run':
        wanted.set(effect.hosting, effect.label)
        break
      case 'scale-down':
        wanted.delete(effect.hosting)
    }
  }
  function tick(mine: number): void {
    if (mine !== ticking) return
    agent.give({ kind: 'tick' })
    time.after(clock.toReal(profile.renewMs / 4), () => tick(mine))
  }
  const kill = () => {
    ticking += 1
    agent.kill()
    disk.crash()
  }

  const datacenter = {
    id,
    clock,
    nodes,
    disk,
    wanted,
    site: () => (agent.isAlive() ? site : undefined),
    runs: (hosting: string) => nodes.some((node) => node.runs(hosting)),
    isOn: () => isOn,
    setFull: (full: boolean) => {
      isFull = full
    },
    hear: (event: SiteEvent) => agent.give(event),
    pauseAgent(ms: number) {
      agent.pause()
      time.after(ms, () => agent.resume())
    },
    crashAgent(backAfterMs: number) {
      kill()
      time.after(backAfterMs, () => {
        if (isOn) agent.start()
      })
    },
    powerOff() {
      isOn = false
      kill()
      for (const node of nodes) node.off()
    },
    isGone: () => isGone,
    /** Its power does not come back in this world. */
    loseForGood() {
      isGone = true
      datacenter.powerOff()
    },
    powerOn() {
      if (isOn || isGone) return
      isOn = true
      for (const node of nodes) node.on()
      agent.start()
    },
  }
  for (let index = 0; index < setup.nodeCount; index++) {
    const nodeId = `${id}-n${index}`
    nodes.push(
      createNode({
        core,
        time,
        random,
        id: nodeId,
        drift: profile.drift,
        stopMs: profile.stopMs,
        wanted: () => new Map([...wanted].filter(([hosting]) => placeOf(hosting, setup.nodeCount) === index)),
        ask: (message) => network.send(nodeId, id, () => agent.give({ kind: 'guard', message })),
        started: (hosting, label, grant, nowMs) =>
          setup.started(datacenter, hosting, grant?.epoch ?? label, { nowMs, ...(grant && { grant }) }),
        lasted: (hosting, grant, nowMs) => setup.lasted(datacenter, hosting, grant, nowMs),
      }),
    )
  }
  return datacenter
}

const placeOf = (hosting: string, nodeCount: number) => hosting.charCodeAt(hosting.length - 1) % nodeCount

function merged(disk: SiteDisk | undefined, writes: readonly SiteWrite[]): SiteDisk {
  const records = new Map((disk?.records ?? []).map((record) => [record.hosting, record]))
  let incarnation = disk?.incarnation ?? 0
  for (const write of writes) {
    incarnation = write.incarnation ?? incarnation
    for (const record of write.records) records.set(record.hosting, record)
  }
  return { incarnation, records: [...records.values()] }
}
