/** Networks between datacenters are cut, both ways and one way, and mended: one site has the hosting, and keeps it. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { profiles, waitMs } from '../../services/fallback/index.ts'
import { type CutStage, setCutStage } from './cut-networks-stage.ts'
import {
  type Chapter,
  counterOf,
  otherOf,
  patience,
  replicas,
  runs,
  type Story,
  sampleMs,
  space,
  standsBy,
  starts,
  tell,
} from './failover-story.ts'
import type { Site } from './gateway-stage.ts'
import { missingForNetworks, ours } from './networks.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? (await missingForNetworks()) ?? false
const { leaseMs, stopMs, drift } = profiles.fast
const waitedMs = waitMs(profiles.fast)
/** By the guard's clock, which may be slow. */
const endsMs = (leaseMs + stopMs) / (1 - drift)
/** The desk ticks twice a second, and looks at the store every two. */
const scanMs = 2_000

type CutChapter = (t: Test, story: Story, networks: CutStage['networks']) => Promise<void>
type Pair = readonly [from: string, to: string]

const bothWays = (one: string, other: string): Pair[] => [
  [one, other],
  [other, one],
]

/** Whoever holds it, and the other. */
async function placesOf(story: Story): Promise<{ from: Site; to: Site; epoch: string }> {
  const { datacenter, epoch } = await story.active()
  return { from: datacenter, to: otherOf(datacenter), epoch }
}

async function cutAll({ cut }: CutStage['networks'], pairs: readonly Pair[]): Promise<void> {
  for (const [from, to] of pairs) await cut(from, to)
}

const keptBy = (story: Story, site: Site) =>
  JSON.parse(readFileSync(join(dirname(story.at(site).agent.kept), 'fallback.json'), 'utf8')).kept

/** Each time that a container of it began at the site. */
const startsAt = (story: Story, site: Site) =>
  story.running(site).map((name) => `${name} ${story.at(site).node.cri.starts(name)}`)

const contactOf = async (story: Story, site: Site) => {
  const { items } = (await story.provider.get('datacenters')).body
  return items.find(({ slug }: any) => slug === site).contact
}

const isSeen = (story: Story, site: Site, contact: string) =>
  until(`${site} to be ${contact}`, patience, async () => (await contactOf(story, site)) === contact || undefined)

/** So long that whatever the desk and the peer waited for has passed, at each moment of which this is so. */
async function allTheWhile(t: Test, what: string, isSo: () => boolean): Promise<void> {
  const enough = performance.now() + waitedMs + scanMs
  let isBroken = false
  await until(
    what,
    patience,
    () => {
      isBroken ||= !isSo()
      return isBroken || performance.now() > enough || undefined
    },
    sampleMs,
  )
  t.notOk(isBroken, what)
}

const operationsOf = async (story: Story) => (await story.loket.get(`operations?hosting=${story.id}`)).body.items.length

const knowsItsPeer: CutChapter = async (t, story, { addressOf }) => {
  const { from, to } = await placesOf(story)
  await until('the sites to know of each other', patience, () => {
    const known = [from, to].map((site) => Object.values(keptBy(story, site).peers ?? {}).join(' '))
    return (known[0]?.includes(addressOf(to)) && known[1]?.includes(addressOf(from))) || undefined
  })
  t.not(addressOf(from), addressOf(to))
}

/** While `pairs` are cut the desk hears nothing, or is not heard, and the peer promises on. */
const runsOn =
  (pairs: (holder: Site) => readonly Pair[]): CutChapter =>
  async (t, story, networks) => {
    const { from, to, epoch } = await placesOf(story)
    const began = startsAt(story, from)
    await cutAll(networks, pairs(from))
    await isSeen(story, from, 'lost')
    await until('the desk to have offered it to the other', patience, async () => {
      const { highest, epoch: granted } = await story.lease(story.id)
      return highest.counter > granted.counter || undefined
    })
    await allTheWhile(t, 'it runs on', () => story.running(from).length === replicas && story.running(to).length === 0)
    t.match(await story.active(), { state: 'active', datacenter: from, epoch }, 'nothing has moved')
    t.match(await story.view(), { state: 'degraded' }, 'and it is shown')
    const promises = keptBy(story, to).records.filter(({ promised }: any) => promised)
    t.match(promises, [{ hosting: story.id }], 'by the promise of its peer')
    t.same(startsAt(story, from), began)
    const waits = { state: 'running', to: null, outcome: /promised the old site/ }
    t.match(await story.operation('failover'), waits, 'no other site can have it, and why is told')
    t.not((await story.view()).fallbackStatus, 'failing-over', 'for it does not fail over')
  }

/** Its pods are left alone, by a right that is later than what was offered meanwhile. */
const isHeardAgain: CutChapter = async (t, story, { mend }) => {
  const { from, epoch } = await placesOf(story)
  const began = startsAt(story, from)
  await mend()
  await isSeen(story, from, 'reachable')
  await until('it to have a right of its own again', patience, async () => {
    const { highest, epoch: granted, offer } = await story.lease(story.id)
    return (!offer && highest.counter === granted.counter) || undefined
  })
  const after = await runs(story, from)
  t.ok(counterOf(after) > counterOf({ epoch }), `${after.epoch} after ${epoch}`)
  await standsBy(story, otherOf(from))
  t.match(await story.operation('failover'), { state: 'aborted', to: null }, 'and it failed over to nowhere')
  t.same(startsAt(story, from), began, 'the same containers')
}

/** Nothing that is sent after the cut comes to the holder, so nothing of it gives it more time. */
const moves =
  (pairs: (holder: Site, peer: Site) => readonly Pair[]): CutChapter =>
  async (t, story, networks) => {
    const { from, to, epoch } = await placesOf(story)
    await cutAll(networks, pairs(from, to))
    const cutAt = performance.now()
    await until('the guard to end it', patience, () => story.running(from).length === 0 || undefined, sampleMs)
    const endedMs = performance.now() - cutAt
    t.ok(
      endedMs < endsMs + sampleMs,
      `ended ${Math.round(endedMs)} ms after the cut, ${Math.round(endsMs)} is the most`,
    )
    const after = await runs(story, to)
    t.comment(`active ${Math.round(performance.now() - cutAt)} ms after the cut`)
    t.ok(counterOf(after) > counterOf({ epoch }), `${after.epoch} after ${epoch}`)
    const { state, trigger } = await until('the failover to be done', patience, async () => {
      const found = await story.operation('failover')
      return found?.state === 'done' ? found : undefined
    })
    t.match({ state, trigger }, { state: 'done', trigger: 'automatic' })
  }

const cleansUp: CutChapter = async (t, story, { mend }) => {
  const { from, to, epoch } = await placesOf(story)
  const operations = await operationsOf(story)
  await mend()
  await isSeen(story, to, 'reachable')
  await standsBy(story, to)
  const { cluster } = story.at(to)
  t.same((await cluster.read<any>(`${space}/pods`)).items, [], 'nothing of it is left')
  t.match(await cluster.read('/apis/apps/v1/namespaces/open-zaak/deployments/web'), { spec: { replicas: 0 } })
  await allTheWhile(t, 'it stays', () => story.running(from).length === replicas && story.running(to).length === 0)
  t.match(await story.active(), { datacenter: from, epoch }, 'no move without a new fault')
  t.equal(await operationsOf(story), operations)
}

const chapters: Readonly<Record<string, CutChapter>> = {
  'the sites know where they reach each other': knowsItsPeer,
  'cut off from the desk alone: it runs on by the promises of its peer': runsOn((holder) => bothWays(holder, ours)),
  'heard again: it goes on by a right of its own': isHeardAgain,
  'heard by the desk and not hearing it: it runs on by the same promises': runsOn((holder) => [[ours, holder]]),
  'hearing it again: it goes on by a right of its own': isHeardAgain,
  'cut off from the desk and from its peer: it ends, and runs at that': moves((holder, peer) => [
    ...bothWays(holder, ours),
    ...bothWays(holder, peer),
  ]),
  'the old site is heard again: it cleans up and stands by': cleansUp,
  'heard by all and hearing nobody: it ends, and runs where it was before': moves((holder, peer) => [
    [ours, holder],
    [peer, holder],
  ]),
  'the other site hears again: it cleans up and stands by': cleansUp,
}

t.test('networks between datacenters are cut', { skip }, async (t) => {
  const { networks, ...stage } = await setCutStage(t)
  const told = Object.entries(chapters).map(([name, chapter]): [string, Chapter] => [
    name,
    (t, story) => chapter(t, story, networks),
  ])
  await tell(t, stage, {
    'it runs at one site, behind gates, and is mirrored to the other': starts,
    ...Object.fromEntries(told),
  })
})
