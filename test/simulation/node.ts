/** A node of a datacenter: its guard, its kubelet, its watchdog, and the pods that the whole protocol is about. */
import type { Epoch, GuardAsk, GuardDisk } from '../../services/fallback/index.ts'
import type { Random } from '../../services/shared/random.ts'
import type { Core } from './core.ts'
import { createDisk } from './disk.ts'
import { createGuardProcess, type Grant } from './guard.ts'
import { createMachineClock, type Time } from './time.ts'

export interface NodeSetup {
  readonly core: Core
  readonly time: Time
  readonly random: Random
  readonly id: string
  readonly drift: number
  readonly stopMs: number
  /** Pods that the cluster wants on this node, with their label. */
  readonly wanted: () => ReadonlyMap<string, Epoch>
  readonly ask: (message: GuardAsk) => void
  /** `grant`: the last that its node had before it began. */
  readonly started: (hosting: string, label: Epoch, grant: Grant | undefined, nowMs: number) => void
  /** It still runs, or did until now. */
  readonly lasted: (hosting: string, grant: Grant | undefined, nowMs: number) => void
}

/** A pod with its sandbox: let through by its gate a moment after the guard ordered it, begun when the kubelet gets to it. */
interface Pod {
  readonly label: Epoch
  /** The last that its node had. */
  grant?: Grant
  isOpen: boolean
  isActive: boolean
  /** Who has told it to end, each in his own time: the first of these is its end. */
  readonly endedBy: Set<'kubelet' | 'guard'>
}

export type Node = ReturnType<typeof createNode>

export function createNode(setup: NodeSetup) {
  const { core, time, random, id, stopMs } = setup
  const clock = createMachineClock(time, random, setup.drift)
  const disk = createDisk<GuardDisk>(time, random)
  const pods = new Map<string, Pod>()
  /** In the memory of the guard. */
  let ordered = new Set<Pod>()
  const tickMs = stopMs / 6
  let boots = 0
  let isOn = false
  let pattedAt = 0

  /** What of a hosting is past its gate, or may be at any moment as far as the guard knows. */
  const running = () =>
    new Set([...pods].flatMap(([hosting, pod]) => (ordered.has(pod) || pod.isOpen ? [hosting] : [])))
  const lasted = (hosting: string, pod: Pod) => pod.isActive && setup.lasted(hosting, pod.grant, clock.read())
  const end = (hosting: string, by: 'kubelet' | 'guard', withinMs: number) => {
    const pod = pods.get(hosting)
    if (!pod || pod.endedBy.has(by)) return
    pod.endedBy.add(by)
    time.after(clock.toReal(random.next() * withinMs), () => {
      if (pods.get(hosting) !== pod) return
      lasted(hosting, pod)
      pods.delete(hosting)
    })
  }
  const openGates = () => {
    for (const [hosting, pod] of pods) {
      const grant = guard.grantOf(hosting)
      if (grant) pod.grant = grant
      if (ordered.has(pod) || pod.isOpen || !guard.mayStart(hosting, pod.label)) continue
      ordered.add(pod)
      time.after(random.next() * 300, () => {
        pod.isOpen = true
        // A kubelet that has much to do begins a container long after its gate has let it pass.
        const lateMs = random.next() < 0.9 ? 1_000 : 4 * stopMs
        time.after(random.next() * lateMs, () => begin(hosting, pod))
      })
    }
  }
  const begin = (hosting: string, pod: Pod) => {
    // While it is being ended too: its sandbox goes last.
    if (pods.get(hosting) !== pod || pod.isActive) return
    pod.isActive = true
    setup.started(hosting, pod.label, pod.grant, clock.read())
  }
  const guard = createGuardProcess({
    core,
    clock,
    disk,
    node: id,
    boot: () => `${id}/${boots}`,
    running,
    kill: (hosting) => end(hosting, 'guard', stopMs * 0.3),
    ask: setup.ask,
  })
  const startGuard = () => {
    ordered = new Set()
    guard.start()
  }
  const turn = () => {
    if (!guard.tick()) return
    openGates()
    pattedAt = time.now()
  }

  const kubelet = () => {
    const wanted = setup.wanted()
    for (const hosting of pods.keys()) if (!wanted.has(hosting)) end(hosting, 'kubelet', stopMs)
    for (const [hosting, label] of wanted) {
      if (!pods.has(hosting)) pods.set(hosting, { label, isOpen: false, isActive: false, endedBy: new Set() })
    }
    for (const [hosting, pod] of pods) lasted(hosting, pod)
  }
  const loop = (everyMs: number, task: () => void) => {
    const boot = boots
    const again = () => {
      if (boot !== boots || !isOn) return
      task()
      time.after(clock.toReal(everyMs), again)
    }
    time.after(random.next() * clock.toReal(everyMs), again)
  }
  const off = () => {
    isOn = false
    guard.kill()
    disk.crash()
    pods.clear()
  }
  const on = () => {
    if (isOn) return
    isOn = true
    boots += 1
    pattedAt = time.now()
    startGuard()
    loop(tickMs, turn)
    loop(1_000, kubelet)
    loop(stopMs / 20, watch)
  }
  /** Resets the node once nobody has patted for as long as the watchdog gives. */
  const watch = () => {
    if (time.now() - pattedAt < clock.toReal(stopMs * 0.4)) return
    const boot = boots
    off()
    time.after(5_000, () => {
      if (boot === boots) on()
    })
  }
  return {
    id,
    disk,
    /** What has begun and is not gone. */
    runs: (hosting: string) => pods.get(hosting)?.isActive === true,
    hear: guard.hear,
    off,
    on,
    isOn: () => isOn,
    /** The guard's process dies; its node restarts it, the containers go on. */
    crashGuard(backAfterMs: number) {
      guard.kill()
      disk.crash()
      const boot = boots
      time.after(backAfterMs, () => {
        if (isOn && boot === boots) startGuard()
      })
    },
    pauseGuard(ms: number) {
      if (!isOn || guard.isPaused()) return
      const boot = boots
      guard.pause()
      time.after(ms, () => {
        if (boot === boots && isOn) guard.resume()
      })
    },
  }
}
