/** A whole site is killed, an agent is stopped, the broker is killed in between: one site has the hosting at any time. */
import t, { type Test } from 'tap'
import { gateName } from '../../services/agent/guard/gate.ts'
import { profiles, waitMs } from '../../services/fallback/index.ts'
import { deployment } from '../support/conformance/manifests.ts'
import { type FailoverStage, setFailoverStage } from './failover-stage.ts'
import type { Site } from './gateway-stage.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 120_000
const replicas = 2
const sampleMs = 20
/** The desk ticks twice a second, and looks at the store every two. */
const scanMs = 2_000
const space = '/api/v1/namespaces/open-zaak'
/** Where it may be; the third datacenter looks on. */
const regions: readonly Site[] = ['amersfoort', 'breda']
const otherOf = (site: Site): Site => (site === 'amersfoort' ? 'breda' : 'amersfoort')

interface Story extends FailoverStage {
  readonly id: string
  /** Moments at which containers of it ran at both sites. */
  readonly doubles: string[]
  running(site: Site): string[]
  view(): Promise<any>
  active(): Promise<any>
  operation(kind: string): Promise<any>
}

type Chapter = (t: Test, story: Story) => Promise<void>

/** Another hosting, of which nothing may change whatever happens to others. */
async function hostBystander(stage: FailoverStage): Promise<() => Promise<readonly string[]>> {
  const name = 'kiss'
  await host(stage, name, { fallback: { mode: 'none' }, constraints: { regions: ['zwolle'] } })
  const { cluster, node } = stage.at('zwolle')
  await cluster.apply({ ...deployment('rest', 1), metadata: { name: 'rest', namespace: name } })
  const look = async () => {
    const { items } = (await cluster.read<any>(`/api/v1/namespaces/${name}/pods`)) ?? { items: [] }
    return items.map(({ metadata }: any) => `${metadata.name} ${metadata.uid} ${node.cri.starts(metadata.name)}`)
  }
  await until('the bystander to run', patience, () => node.cri.running().length === 1 || undefined)
  return look
}

/** Containers past their gate, of the hosting, as processes of the node. */
const runningAt = (stage: FailoverStage, site: Site) =>
  stage
    .at(site)
    .node.cri.running()
    .filter((name) => name.startsWith('web-'))

function watchDoubles(t: Test, stage: FailoverStage): string[] {
  const doubles: string[] = []
  const sample = setInterval(() => {
    const [here = [], there = []] = regions.map((site) => runningAt(stage, site))
    if (here.length > 0 && there.length > 0) doubles.push(`${new Date().toISOString()} ${here} ${there}`)
  }, sampleMs)
  t.teardown(() => clearInterval(sample))
  return doubles
}

async function host({ consumer }: FailoverStage, name: string, more: object): Promise<string> {
  const classes = { availability: 2, integrity: 2, confidentiality: 2 }
  const system = await consumer.post('systems', { slug: name, name, classes })
  const asked = await consumer.post('hostings', {
    name,
    systemId: system.id,
    components: [{ name: 'web', replicas, requests: { cpu: '100m', memory: '64Mi' } }],
    ...more,
  })
  return until(`${name} to run`, patience, async () => {
    const { body } = await consumer.get(`hostings/${asked.id}`)
    if (body.state === 'unschedulable') throw new Error(JSON.stringify(body.decision))
    return body.state === 'running' ? asked.id : undefined
  })
}

const siteOf = ({ placements }: any, role: string): Site | undefined =>
  placements.find((placement: any) => placement.role === role)?.datacenter

/** Every container of it runs there, and the desk says so. */
async function runs(story: Story, site: Site): Promise<any> {
  await until(`it to run at ${site}`, patience, () => story.running(site).length === replicas || undefined, sampleMs)
  return until(`it to be active at ${site}`, patience, async () => {
    const active = await story.active()
    return active.state === 'active' && active.datacenter === site ? active : undefined
  })
}

/** And whoever runs it has taken up that the other is its peer: only then may that have it on the strength of a wait. */
const standsBy = (story: Story, site: Site) =>
  until(`${site} to stand by`, patience, async () => {
    const standby = (await story.view()).placements.find(({ role }: any) => role === 'standby')
    const { peers, nextPeers } = await story.lease(story.id)
    return (standby?.datacenter === site && !nextPeers && peers.members.includes(standby.datacenterId)) || undefined
  })

const counterOf = ({ epoch }: any) => Number(epoch.split('.')[1])

const starts: Chapter = async (t, story) => {
  const view = await story.view()
  const home = siteOf(view, 'primary') as Site
  const { cluster } = story.at(home)
  await cluster.apply({ ...deployment('web', replicas), metadata: { name: 'web', namespace: 'open-zaak' } })
  t.match(await runs(story, home), { state: 'active' })
  const { items } = (await cluster.read<any>(`${space}/pods`)) ?? { items: [] }
  t.equal(items.length, replicas)
  for (const { spec } of items) t.equal(spec.initContainers?.[0]?.name, gateName, 'each waits at its gate')
  await standsBy(story, otherOf(home))
  await until('it to be mirrored', patience, async () => {
    const path = '/apis/apps/v1/namespaces/open-zaak/deployments/web'
    return (await story.at(otherOf(home)).cluster.read<any>(path))?.spec.replicas === 0 || undefined
  })
}

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
  'its site is killed: its guard ends it, and it runs at the other by a later epoch': siteDies,
  'the site comes back: nothing starts there, and it stands by': siteReturns,
  'an agent is stopped and the broker killed in the failover: it goes on': agentIsStopped,
  'it goes back on order': goesBack,
}

t.test('failover between real clusters', { skip }, async (t) => {
  const stage = await setFailoverStage(t)
  const fallback = { mode: 'cold', activity: 'exclusive', policy: 'automatic' }
  const id = await host(stage, 'open-zaak', { fallback, constraints: { regions } })
  const story: Story = {
    ...stage,
    id,
    doubles: watchDoubles(t, stage),
    running: (site) => runningAt(stage, site),
    view: async () => (await stage.consumer.get(`hostings/${id}`)).body,
    active: async () => (await stage.consumer.get(`hostings/${id}/active`)).body,
    operation: async (kind) => {
      const { items } = (await stage.loket.get(`operations?hosting=${id}`)).body
      return items.filter((each: any) => each.kind === kind).sort((a: any, b: any) => (a.id < b.id ? 1 : -1))[0]
    },
  }
  const bystander = await hostBystander(stage)
  const stood = await bystander()
  for (const [name, chapter] of Object.entries(chapters)) {
    if (!t.passing()) break
    await t.test(name, (t) => chapter(t, story))
    t.same(story.doubles, [], 'never at both')
  }
  t.same(await bystander(), stood, 'the third datacenter has seen nothing of it')
})
