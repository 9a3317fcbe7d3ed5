/** A hosting that may be at one of two sites: what is followed of it, and where it is, told chapter by chapter. */
import type { Test } from 'tap'
import { gateName } from '../../services/agent/guard/gate.ts'
import { deployment } from '../support/conformance/manifests.ts'
import type { FailoverStage } from './failover-stage.ts'
import type { Site } from './gateway-stage.ts'
import { until } from './start.ts'

export const patience = 120_000
export const replicas = 2
export const sampleMs = 20
export const space = '/api/v1/namespaces/open-zaak'
/** Where it may be; the third datacenter looks on. */
const regions: readonly Site[] = ['amersfoort', 'breda']
export const otherOf = (site: Site): Site => (site === 'amersfoort' ? 'breda' : 'amersfoort')

export interface Story extends FailoverStage {
  readonly id: string
  /** Moments at which containers of it ran at both sites. */
  readonly doubles: string[]
  running(site: Site): string[]
  view(): Promise<any>
  active(): Promise<any>
  operation(kind: string): Promise<any>
}

export type Chapter = (t: Test, story: Story) => Promise<void>

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
export async function runs(story: Story, site: Site): Promise<any> {
  await until(`it to run at ${site}`, patience, () => story.running(site).length === replicas || undefined, sampleMs)
  return until(`it to be active at ${site}`, patience, async () => {
    const active = await story.active()
    return active.state === 'active' && active.datacenter === site ? active : undefined
  })
}

/** And whoever runs it has taken up that the other is its peer: only then may that have it on the strength of a wait. */
export const standsBy = (story: Story, site: Site) =>
  until(`${site} to stand by`, patience, async () => {
    const standby = (await story.view()).placements.find(({ role }: any) => role === 'standby')
    const { peers, nextPeers } = await story.lease(story.id)
    return (standby?.datacenter === site && !nextPeers && peers.members.includes(standby.datacenterId)) || undefined
  })

export const counterOf = ({ epoch }: any) => Number(epoch.split('.')[1])

export const starts: Chapter = async (t, story) => {
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

/** Tells the chapters one after the other until one goes wrong; at no moment of any may it run at both sites. */
export async function tell(t: Test, stage: FailoverStage, chapters: Readonly<Record<string, Chapter>>): Promise<void> {
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
}
