/** A guard at work, with a clock, a runtime and an agent of the test's own. */
import pino from 'pino'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { Container, Sandbox } from '../../../../services/agent/guard/cri/wire.ts'
import type { Stored } from '../../../../services/agent/guard/file.ts'
import { activeEpochLabel, gateName, openCommand } from '../../../../services/agent/guard/gate.ts'
import { guardMetrics } from '../../../../services/agent/guard/metrics.ts'
import { startNodeGuard } from '../../../../services/agent/guard/node-guard.ts'
import { systemClock } from '../../../../services/shared/clock.ts'
import { until } from '../../../support/until.ts'

const epoch = { generation: 1, counter: 1 }
const spaces = [{ namespace: 'zaak', hosting: 'h1', activity: 'exclusive' }] as const
const sandbox: Sandbox = { id: 's1', pod: 'zaak-1', namespace: 'zaak', isReady: true, labels: new Map() }
const container: Container = { id: 'c1', sandbox: 's1', name: 'app', images: [], isLive: true }

/** A turn takes a fiftieth of its time, and the clock of the machine stands unless the test moves it. */
async function stage(
  t: Test,
  disk?: Stored,
  changes: { isDiskFull?: boolean; isGateStuck?: boolean; pods?: [Sandbox, Container][] } = {},
) {
  const world = {
    bootMs: 1_000_000,
    wallMs: Date.UTC(2026, 0, 1),
    isRuntimeDown: false,
    isAgentDown: false,
    isDiskFull: false,
    isGateStuck: false,
    pods: [[sandbox, container]] as [Sandbox, Container][],
    looks: 0,
    asks: [] as { readonly seq: number; readonly present: readonly string[] }[],
    ended: [] as string[],
    opened: [] as string[],
    written: [] as Stored[],
    writing: 0,
    mostWriting: 0,
    slow: Promise.resolve(),
    pats: 0,
    leaseMs: 30_000,
    ...changes,
  }
  const guard = await startNodeGuard({
    node: 'node-1',
    boot: { id: 'b1', now: () => world.bootMs },
    file: {
      read: async () => disk,
      async write(stored) {
        if (world.isDiskFull) throw new Error('the disk is full')
        world.writing += 1
        world.mostWriting = Math.max(world.mostWriting, world.writing)
        await world.slow
        world.writing -= 1
        world.written.push(stored)
      },
    },
    runtime: {
      async list() {
        world.looks += 1
        if (world.isRuntimeDown) throw new Error('the runtime is down')
        return { sandboxes: world.pods.map(([first]) => first), containers: world.pods.map(([, second]) => second) }
      },
      stopContainer: async () => undefined,
      async stopSandbox(id) {
        if (world.isRuntimeDown) throw new Error('the runtime is down')
        world.ended.push(id)
        world.pods = world.pods.filter(([each]) => each.id !== id)
      },
      async run(id, command) {
        t.same(command, openCommand)
        world.opened.push(id)
        if (world.isGateStuck) throw new Error('no such container runs')
      },
      close: () => undefined,
    },
    line: {
      async ask(ask) {
        if (world.isAgentDown) throw new Error('the agent is down')
        world.asks.push(ask)
        const grant = { hosting: 'h1', epoch, activity: 'exclusive', remainingMs: world.leaseMs } as const
        const answer = { kind: 'grants', node: ask.node, seq: ask.seq, agent: 1, grants: [grant], over: [] } as const
        return { answer, spaces, stopMs: 20_000 }
      },
      close: () => undefined,
    },
    watchdog: {
      pat: () => {
        world.pats += 1
      },
      close: () => undefined,
    },
    gateImage: undefined,
    clock: { ...systemClock, now: () => world.wallMs, sleep: (ms, signal) => systemClock.sleep(ms / 50, signal) },
    log: pino({ level: 'silent' }),
    metrics: guardMetrics(new Registry(), () => world.bootMs),
  })
  t.teardown(() => guard.stop())
  const turns = async (count: number) => {
    const wanted = world.looks + count + 1
    await until(() => world.looks >= wanted, `${count} turns`)
  }
  return { world, guard, turns }
}

t.test('steps of the wall clock change nothing', async (t) => {
  const { world, guard, turns } = await stage(t)
  await turns(2)
  world.isAgentDown = true
  for (const stepMs of [3_600_000, -7_200_000]) {
    world.wallMs += stepMs
    await turns(3)
    t.same(world.ended, [])
  }
  t.equal(guard.trouble(), 'the agent does not answer')
})

t.test('a machine that slept past a deadline ends what it runs when it wakes', async (t) => {
  const { world, turns } = await stage(t)
  await turns(2)
  world.isAgentDown = true
  world.bootMs += 29_000
  await turns(3)
  t.same(world.ended, [])
  world.bootMs += 1_500
  await turns(3)
  t.same(world.ended, ['s1'])
})

t.test('while the node is not seen nothing is asked, and in the end the machine is left to its watchdog', async (t) => {
  const { world, guard, turns } = await stage(t)
  await turns(2)
  world.isRuntimeDown = true
  await turns(2)
  const [asked, pats] = [world.asks.length, world.pats]
  await turns(3)
  t.equal(world.asks.length, asked)
  t.ok(world.pats > pats, 'its grants still hold')
  t.equal(guard.trouble(), 'the container runtime does not answer')
  world.bootMs += 31_000
  await turns(2)
  world.bootMs += 9_000
  await turns(2)
  const { pats: last } = world
  await turns(3)
  t.equal(world.pats, last, 'what had to end can not be seen to have ended')
  world.isRuntimeDown = false
  await until(() => world.pats > last, 'pats when it is seen to be gone')
  t.same(world.ended, ['s1'])
})

t.test('a life is on disk before its first question, above every earlier one of its name', async (t) => {
  const fresh = await stage(t)
  await fresh.turns(1)
  const [first] = fresh.world.written
  t.ok((first?.life ?? 0) > 50_000, `${first?.life}`)
  t.ok((fresh.world.asks[0]?.seq ?? 0) > (first?.life ?? 0) * 2 ** 32)
  t.ok(Number.isSafeInteger(fresh.world.asks[0]?.seq))
  const again = await stage(t, { boot: 'b1', life: 70_000, grants: [] })
  await again.turns(1)
  t.equal(again.world.written[0]?.life, 70_001)
})

t.test('a renewal is written, the same grant again is not', async (t) => {
  const { world, turns } = await stage(t)
  await turns(2)
  const { length } = world.written
  await turns(5)
  t.equal(world.written.length, length)
  world.bootMs += 10_000
  await turns(2)
  t.equal(world.written.length, length + 1)
  t.equal(world.written.at(-1)?.grants[0]?.deadlineMs, world.bootMs + world.leaseMs)
})

t.test(
  'a life that is not on disk asks nothing, and ends what it knows to be without a grant all the same',
  async (t) => {
    const { world, turns } = await stage(t, { boot: 'b1', life: 3, grants: [], spaces }, { isDiskFull: true })
    await turns(4)
    t.same(world.asks, [])
    t.same(world.ended, ['s1'])
    world.isDiskFull = false
    await until(() => world.asks.length > 0, 'a question')
  },
)

t.test(
  'a disk that takes its time is given one thing at a time, and what comes of it counts from the question',
  async (t) => {
    const { world, turns } = await stage(t)
    await turns(2)
    const { promise, resolve } = Promise.withResolvers<void>()
    world.slow = promise
    world.bootMs += 10_000
    const askedAtMs = world.bootMs
    await until(() => world.writing === 1, 'a write')
    await turns(3)
    world.bootMs += 15_000
    world.isAgentDown = true
    world.slow = Promise.resolve()
    resolve()
    await until(() => world.writing === 0, 'the write to be done')
    t.equal(world.mostWriting, 1)
    t.equal(world.written.at(-1)?.grants[0]?.deadlineMs, askedAtMs + world.leaseMs)
    world.bootMs = askedAtMs + world.leaseMs - 100
    await turns(3)
    t.same(world.ended, [])
    world.bootMs += 200
    await until(() => world.ended.length > 0, 'its end at that deadline')
  },
)

t.test('from the order to open a gate its pod counts as running, whatever is to be seen of it', async (t) => {
  const waiting: Sandbox = { ...sandbox, labels: new Map([[activeEpochLabel, '1.1']]) }
  const gate: Container = { ...container, id: 'g1', name: gateName }
  const { world, turns } = await stage(t, undefined, { pods: [[waiting, gate]] })
  await until(() => world.opened.length > 0, 'the gate to be opened')
  await turns(3)
  t.same(world.opened, ['g1'], 'once')
  world.isAgentDown = true
  await turns(2)
  t.same(world.ended, [])
  world.bootMs += 31_000
  await until(() => world.ended.length > 0, 'the sandbox to be ended before anything has begun in it')
})

t.test('an order to open that fails is given again', async (t) => {
  const waiting: Sandbox = { ...sandbox, labels: new Map([[activeEpochLabel, '1.1']]) }
  const gate: Container = { ...container, id: 'g1', name: gateName }
  const { world, guard, turns } = await stage(t, undefined, { pods: [[waiting, gate]], isGateStuck: true })
  await until(() => world.opened.length > 2, 'three orders')
  world.isGateStuck = false
  await turns(3)
  const { length } = world.opened
  await turns(3)
  t.equal(world.opened.length, length)
  t.equal(guard.trouble(), undefined)
})

t.test('a gate that was not opened is left shut, and its pod alone, when there is no grant', async (t) => {
  const waiting: Sandbox = { ...sandbox, labels: new Map([[activeEpochLabel, '1.2']]) }
  const gate: Container = { ...container, id: 'g1', name: gateName }
  const { world, turns } = await stage(t, undefined, { pods: [[waiting, gate]] })
  await turns(4)
  t.ok(world.asks.length > 2)
  t.same([world.opened, world.ended], [[], []], 'its epoch is later than what is granted')
})
