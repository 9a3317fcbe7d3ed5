/** The guard of a node as a program, with containers that are processes: what it ends, what it keeps, and when. */
import { rmSync, symlinkSync } from 'node:fs'
import t, { type Test } from 'tap'
import { activeEpochLabel } from '../../services/agent/guard/gate.ts'
import type { Cri } from '../support/cri.ts'
import { type Answered, startGuardAgent } from '../support/guard-agent.ts'
import { createPlayedNode } from '../support/guard-process.ts'
import { until } from '../support/until.ts'

t.setTimeout(5 * 60_000)

const epoch = { generation: 1, counter: 4 }
const leaseMs = 3_000
const stopMs = 6_000
/** A turn, the grace of a pod that ends when it is told, and what two busy cores take. */
const promptMs = 3_000

const spaces: Answered['spaces'] = [
  { namespace: 'zaak', hosting: 'h-zaak', activity: 'exclusive' },
  { namespace: 'archief', hosting: 'h-archief', activity: 'pinned' },
]
const nothing: Answered = { grants: [], over: [], spaces, leaseMs, stopMs }
const zaak = { hosting: 'h-zaak', epoch, activity: 'exclusive' } as const
const archief = { hosting: 'h-archief', epoch, activity: 'pinned' } as const

async function stage(t: Test) {
  const agent = await startGuardAgent(t)
  return { agent, ...(await createPlayedNode(t, 'node-1', agent.port)) }
}

/** How long until none of these runs, from now. */
async function timeUntilGone({ cri }: { readonly cri: Cri }, ...pods: string[]): Promise<number> {
  const beganAt = performance.now()
  await until(() => !cri.running().some((pod) => pods.includes(pod)), `${pods} to be gone`)
  return performance.now() - beganAt
}

/** So many more looks of the guard at its node. */
async function turns({ calls }: Cri, count: number): Promise<void> {
  const looks = () => calls.filter((method) => method === 'ListContainers').length
  const wanted = looks() + count + 1
  await until(() => looks() >= wanted, `${count} turns to pass`)
}

const stays = (time: number) => new Promise((resolve) => setTimeout(resolve, time))

t.test('what has no grant is ended, what has one runs, and other namespaces are left alone', async (t) => {
  const { cri, agent, begin, runs, ready } = await stage(t)
  cri.startPod({ namespace: 'zaak', name: 'zaak-1' })
  cri.startPod({ namespace: 'archief', name: 'archief-1' })
  cri.startPod({ namespace: 'kube-system', name: 'dns-1' })
  await begin()
  await agent.answer({ ...nothing, grants: [archief] })
  await runs('zaak-1', false)
  t.same(cri.running().sort(), ['archief-1', 'dns-1'])
  t.equal(await ready(), 200)
  await agent.answer({ ...nothing, over: ['h-archief'] })
  await runs('archief-1', false)
  t.same(cri.running(), ['dns-1'], 'an order ends what is pinned too')
  await until(() => agent.asked.at(-1)?.present.length === 0, 'the guard to say that nothing is left')
})

t.test('a pod that does not end by itself is killed after its grace', async (t) => {
  const scene = await stage(t)
  const stubborn = ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done']
  scene.cri.startPod({ namespace: 'zaak', name: 'zaak-1', command: stubborn })
  await scene.begin()
  await scene.agent.answer(nothing)
  const tookMs = await timeUntilGone(scene, 'zaak-1')
  t.ok(tookMs < stopMs, `${Math.round(tookMs)} ms`)
})

t.test('a gate opens when the node has a grant of the epoch, and not before', async (t) => {
  const { cri, agent, begin, runs } = await stage(t)
  const pod = (name: string, label: string) => ({
    namespace: 'zaak',
    name,
    isGated: true,
    labels: { [activeEpochLabel]: label },
  })
  cri.startPod(pod('zaak-1', '1.4'))
  cri.startPod(pod('later-1', '1.5'))
  await begin()
  await agent.answer(nothing)
  await turns(cri, 3)
  t.same(cri.running(), [])
  t.same(cri.waiting().sort(), ['later-1', 'zaak-1'], 'who waits is not ended')
  t.same(agent.asked.at(-1)?.present, [], 'and does not count as here')
  await agent.answer({ ...nothing, grants: [zaak] })
  await runs('zaak-1')
  t.same(cri.waiting(), ['later-1'])
  await agent.answer({ ...nothing, grants: [{ ...zaak, epoch: { generation: 1, counter: 5 } }] })
  await runs('later-1')
  t.same(cri.starts('zaak-1'), 1)
})

t.test('an agent that is stopped for longer than a lease: everything exclusive ends at the deadline', async (t) => {
  const scene = await stage(t)
  const { cri, agent, begin, runs } = scene
  cri.startPod({ namespace: 'zaak', name: 'zaak-1' })
  cri.startPod({ namespace: 'archief', name: 'archief-1' })
  agent.set({ ...nothing, grants: [zaak, archief] })
  await begin()
  await until(() => agent.asked.length > 2, 'the agent to have answered')
  agent.signal('SIGSTOP')
  const beganAt = performance.now()
  await stays(leaseMs - 1_500)
  t.ok(cri.running().includes('zaak-1'), 'runs on until then')
  await runs('zaak-1', false)
  const tookMs = performance.now() - beganAt
  t.ok(tookMs > leaseMs - 1_500 && tookMs < leaseMs + promptMs, `ended after ${Math.round(tookMs)} ms`)
  t.same(cri.running(), ['archief-1'], 'what is pinned runs on')
  cri.startPod({ namespace: 'zaak', name: 'zaak-2', isGated: true, labels: { [activeEpochLabel]: '1.4' } })
  await until(() => cri.waiting().includes('zaak-2'), 'the next pod to wait')
  agent.signal('SIGCONT')
  await runs('zaak-2')
})

t.test('a guard that was killed goes on by the deadlines that it has on disk', async (t) => {
  const { cri, agent, begin, end, runs } = await stage(t)
  cri.startPod({ namespace: 'zaak', name: 'zaak-1' })
  await begin()
  await agent.answer({ ...nothing, grants: [zaak], leaseMs: 8_000 })
  await end('SIGKILL')
  const grantedAt = performance.now()
  agent.signal('SIGKILL')
  await begin()
  await turns(cri, 2)
  t.same(cri.running(), ['zaak-1'], 'its deadline is known')
  await runs('zaak-1', false)
  const tookMs = performance.now() - grantedAt
  t.ok(tookMs > 6_000 && tookMs < 8_000 + promptMs, `ended after ${Math.round(tookMs)} ms`)
})

t.test('after another boot no deadline is believed, and what starts without the gate is ended at once', async (t) => {
  const { cri, agent, boot, begin, end, runs } = await stage(t)
  await begin()
  await agent.answer({ ...nothing, grants: [zaak], leaseMs: 60_000 })
  await end('SIGKILL')
  agent.signal('SIGKILL')
  cri.off()
  boot('boot-2')
  cri.startPod({ namespace: 'zaak', name: 'zaak-1' })
  cri.startPod({ namespace: 'zaak', name: 'zaak-2', isGated: true, labels: { [activeEpochLabel]: '1.4' } })
  await begin()
  await runs('zaak-1', false)
  t.same(cri.waiting(), ['zaak-2'])
  t.equal(cri.starts('zaak-2'), 0)
})

t.test('a full disk grants nothing new and ends nothing early; room on it mends that', async (t) => {
  const { at, cri, agent, begin, runs, ready } = await stage(t)
  cri.startPod({ namespace: 'zaak', name: 'zaak-1' })
  await begin()
  await agent.answer({ ...nothing, grants: [zaak] })
  symlinkSync('/dev/full', at('data/guard.json.draft'))
  const fullAt = performance.now()
  cri.startPod({ namespace: 'archief', name: 'archief-1', isGated: true, labels: { [activeEpochLabel]: '1.4' } })
  await agent.answer({ ...nothing, grants: [zaak, archief] })
  await runs('zaak-1', false)
  const tookMs = performance.now() - fullAt
  t.ok(tookMs > leaseMs - 2_500, `what was granted before lasted ${Math.round(tookMs)} ms`)
  t.same(cri.waiting(), ['archief-1'], 'a grant that is not on disk opens no gate')
  t.equal(await ready(), 503)
  rmSync(at('data/guard.json.draft'))
  await runs('archief-1')
})

t.test('the watchdog is patted while the guard does its work, and no longer', async (t) => {
  const { cri, agent, begin, end, signal, pats, runs } = await stage(t)
  await begin()
  await agent.answer({ ...nothing, grants: [zaak] })
  await until(() => pats().length > 2, 'pats')
  signal('SIGSTOP')
  const { length } = pats()
  await stays(2_500)
  t.ok(pats().length <= length + 1, 'one that is stopped does not pat')
  signal('SIGCONT')
  await until(() => pats().length > length + 1, 'pats again')
  cri.startPod({ namespace: 'zaak', name: 'zaak-1' })
  await turns(cri, 1)
  cri.silence(true)
  await stays(leaseMs + stopMs)
  const before = pats().length
  await stays(2_500)
  t.equal(pats().length, before, 'nor one that cannot end what must end')
  cri.silence(false)
  await runs('zaak-1', false)
  await until(() => pats().length > before, 'pats when it is gone')
  await turns(cri, 3)
  cri.startPod({ namespace: 'zaak', name: 'zaak-2' })
  await turns(cri, 1)
  t.same(cri.running(), ['zaak-2'])
  await end('SIGTERM')
  t.notMatch(pats(), 'V', 'stopped while something runs: the next guard has as long as the watchdog gives')
  cri.off()
  await begin()
  const { length: again } = pats()
  await until(() => pats().length > again, 'pats')
  await end('SIGTERM')
  t.match(pats(), /V$/, 'with nothing to guard it is put to rest')
})
