/** What a tenant writes through the gateway while a hosting moves: how each write is answered, and which site took it. */
import type { Test } from 'tap'
import { type Chapter, otherOf, patience, type Story, space } from './failover-story.ts'
import type { Site } from './gateway-stage.ts'
import { until } from './start.ts'

const everyMs = 1_000
const lookMs = 200
/** What was taken is seen so late at the most, on a busy machine. */
const seenWithinMs = 3_000
const copied = 'gemeentecloud.nl/mirrored-from'

interface Answer {
  readonly name: string
  readonly sentMs: number
  readonly status: number
  readonly retryAfter: unknown
}

interface Taken {
  readonly name: string
  readonly site: Site
  readonly seenMs: number
}

interface Writes {
  readonly answers: Answer[]
  /** As nobody copied it there. */
  readonly taken: Taken[]
  /** Where it was seen to be active, one after the other, and since when; undefined: nowhere. */
  readonly places: { readonly site: Site | undefined; readonly seenMs: number }[]
}

let chapters = 0

/** The chapter, with writes all the while, and what has to hold of them. */
export const written =
  (chapter: Chapter): Chapter =>
  async (t, story) => {
    const [from, to] = await story.active().then(({ datacenter }) => [datacenter as Site, otherOf(datacenter)] as const)
    const writer = beginWriting(t, story, [from, to])
    await writer.isTaken(from)
    await chapter(t, story)
    await writer.isTaken(to)
    const { answers, taken, places } = await writer.end()
    const other = answers.filter(({ status, retryAfter }) => status !== 201 && !(status === 503 && retryAfter))
    t.same(other, [], 'taken, or put off with Retry-After')
    const putOff = answers.filter(({ status }) => status === 503)
    t.ok(putOff.length > 0, `${putOff.length} of ${answers.length} writes were put off`)
    const ended = places.find(({ site }) => site !== from)?.seenMs ?? 0
    const sentMs = (name: string) => answers.find((answer) => answer.name === name)?.sentMs ?? 0
    const late = taken.filter(({ name, site, seenMs }) => {
      const isAfter = sentMs(name) > ended || seenMs > ended + seenWithinMs
      return site === from && isAfter
    })
    t.same(late, [], `nothing was taken at ${from} once its right had ended`)
  }

function beginWriting(t: Pick<Test, 'teardown'>, story: Story, sites: readonly Site[]) {
  chapters += 1
  const prefix = `written-${chapters}-`
  const writes: Writes = { answers: [], taken: [], places: [] }
  const asked: Promise<void>[] = []
  let isOver = false
  t.teardown(() => {
    isOver = true
  })
  const write = async () => {
    const name = `${prefix}${asked.length}`
    const sentMs = performance.now()
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }
    const { status, headers } = await story.ask('POST', `${space}/configmaps`, body)
    writes.answers.push({ name, sentMs, status, retryAfter: headers['retry-after'] })
  }
  const lookAt = async (site: Site) => {
    const found = await story.at(site).cluster.read<any>(`${space}/configmaps`)
    const seenMs = performance.now()
    for (const { metadata } of found?.items ?? []) {
      const { name, annotations } = metadata
      const isNews = name.startsWith(prefix) && !writes.taken.some((one) => one.name === name && one.site === site)
      if (isNews && annotations?.[copied] === undefined) writes.taken.push({ name, site, seenMs })
    }
  }
  const lookWho = async () => {
    const { state, datacenter } = await story.active()
    const site = state === 'active' ? (datacenter as Site) : undefined
    const last = writes.places.at(-1)
    if (!last || last.site !== site) writes.places.push({ site, seenMs: performance.now() })
  }
  const again = async (task: () => Promise<void>) => {
    while (!isOver) {
      // A site that was killed, or a broker that is, tells nothing.
      await task().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    }
  }
  const loops = [again(lookWho), ...sites.map((site) => again(() => lookAt(site)))]
  const timer = setInterval(() => asked.push(write()), everyMs)
  t.teardown(() => clearInterval(timer))
  return {
    /** One that was sent from now on is. */
    isTaken: (site: Site) => {
      const since = performance.now()
      return until(`a write to be taken at ${site}`, patience, () => {
        const names = new Set(writes.answers.flatMap(({ name, sentMs }) => (sentMs > since ? [name] : [])))
        return writes.taken.some((one) => one.site === site && names.has(one.name)) || undefined
      })
    },
    async end(): Promise<Writes> {
      clearInterval(timer)
      await Promise.all(asked)
      for (const site of sites) await lookAt(site).catch(() => undefined)
      isOver = true
      await Promise.all(loops)
      return writes
    },
  }
}
