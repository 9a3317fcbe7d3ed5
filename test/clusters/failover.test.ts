/** A whole site is killed, an agent is stopped, the broker is killed in between: one site has the hosting at any time. */
import t from 'tap'
import { profiles, waitMs } from '../../services/fallback/index.ts'
import { setFailoverStage } from './failover-stage.ts'
import {
  type Chapter,
  counterOf,
  otherOf,
  patience,
  replicas,
  runs,
  sampleMs,
  space,
  standsBy,
  starts,
  tell,
} from './failover-story.ts'
import { written } from './failover-writes.ts'
import type { Site } from './gateway-stage.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
/** The desk ticks twice a second, and looks at the store every two. */
const scanMs = 2_000

const siteDies: Chapter = async (t, story) => {
  const before = await story.active()
  const [from, to] = [before.datacenter as Site, otherOf(before.datacenter)]
  const wait = waitMs(profiles.fast)
  const killedAt = Date.now()
  await story.at(from).die()
  t.equal(story.running(from).length, replicas, 'the node runs on')
  await until('the guard to end it', wait, () => story.running(from).length === 0 || undefined, sampleMs)
  const endedMs = Date.now() - killedAt
  await until('it to run there', patience, () => story.running(to).length === replicas || undefined, sampleMs)
  const runningAt = Date.now()
  const after = await runs(story, to)
  t.ok(counterOf(after) > counterOf(before), `${after.epoch} after ${before.epoch}`)
  const { steps, ...operation } = await until('the failover to be done', patience, async () => {
    const found = await story.operation('failover')
    return found?.state === 'done' ? found : undefined
  })
  t.match(operation, { trigger: 'automatic' })
  const at = (name: string) => Date.parse(steps.find((step: any) => step.name === name)?.startedAt) - killedAt
  const [verdictMs, grantMs, runningMs] = [at('confirmed-lost'), at('claimed'), runningAt - killedAt]
  t.ok(grantMs < wait + scanMs, `granted after ${grantMs} ms; ${Math.round(wait)} and a scan is the most`)
  t.comment(`ended ${endedMs} ms, verdict ${verdictMs} ms, grant ${grantMs} ms, running ${runningMs} ms after the kill`)
}

const siteReturns: Chapter = async (t, story) => {
  const { datacenter, epoch } = await story.active()
  const former = otherOf(datacenter)
  const { cluster, comeBack } = story.at(former)
  await comeBack()
  await standsBy(story, former)
  t.equal((await story.active()).epoch, epoch, 'nothing has moved')
  t.same(story.running(former), [])
  t.same((await cluster.read<any>(`${space}/pods`)).items, [])
  const path = '/apis/apps/v1/namespaces/open-zaak/deployments/web'
  t.match(await cluster.read(path), { spec: { replicas: 0 } })
}

/** The guard alone can end it there, and the broker is killed when the other site has just been granted it. */
const agentIsStopped: Chapter = async (t, story) => {
  const before = await story.active()
  const [from, to] = [before.datacenter as Site, otherOf(before.datacenter)]
  const { agent } = story.at(from)
  agent.signal('SIGSTOP')
  await until('the failover to begin', patience, async () => {
    const found = await story.operation('failover')
    return found?.state === 'running' || undefined
  })
  await story.restartBroker()
  const after = await runs(story, to)
  t.ok(counterOf(after) > counterOf(before), `${after.epoch} after ${before.epoch}`)
  t.same(story.running(from), [], 'the guard has ended it')
  agent.signal('SIGCONT')
  await standsBy(story, from)
  t.equal((await story.active()).epoch, after.epoch, 'the agent that woke up has changed nothing')
}

const goesBack: Chapter = async (t, story) => {
  const before = await story.active()
  const to = otherOf(before.datacenter)
  const reason = 'terug naar waar het was'
  const { id } = await story.consumer.post(`hostings/${story.id}/failovers`, { kind: 'failback', reason })
  const word = { kind: 'agreed', statement: 'afgesproken met de beheerder' }
  await story.loket.post(`operations/${id}/confirmations`, word)
  t.ok(counterOf(await runs(story, to)) > counterOf(before), 'by a later epoch')
  const done = await until('the failback to be done', patience, async () => {
    const { body } = await story.loket.get(`operations/${id}`)
    return body.state === 'done' ? body : undefined
  })
  t.match(
    done.steps.find(({ name }: any) => name === 'fenced'),
    { note: 'stopped' },
  )
  await standsBy(story, before.datacenter)
}

const chapters: Readonly<Record<string, Chapter>> = {
  'it runs at one site, behind gates, and is mirrored to the other': starts,
  'its site is killed: its guard ends it, and it runs at the other by a later epoch': written(siteDies),
  'the site comes back: nothing starts there, and it stands by': siteReturns,
  'an agent is stopped and the broker killed in the failover: it goes on': written(agentIsStopped),
  'it goes back on order': written(goesBack),
}

t.test('failover between real clusters', { skip }, async (t) => {
  await tell(t, await setFailoverStage(t), chapters)
})
