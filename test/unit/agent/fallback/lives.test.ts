/** Ended between any two commits or within one, a site comes back and gets to the same end, and never said too much. */
import t from 'tap'
import type { FromSite } from '../../../../services/fallback/index.ts'
import { epoch, type ScriptedDesk } from '../../../support/scripted-desk.ts'
import { createTown, type MemoryRecord, memoryRecord, startAgent } from '../../../support/town.ts'
import { until } from '../../../support/until.ts'

t.setTimeout(80_000)

type Trouble = (store: MemoryRecord) => { readonly isOver: () => boolean }

/** What was said must be in the record by then. */
function checkSaid(store: MemoryRecord, message: FromSite, said: string[]): void {
  const record = store.kept()?.records.find((each) => 'hosting' in message && each.hosting === message.hosting)
  if (message.kind === 'accepted' && record?.accepted.counter !== message.epoch.counter) said.push('accepted too soon')
  if (message.kind === 'stopped' && record?.ended.counter !== message.epoch.counter) said.push('stopped too soon')
  if (message.kind === 'renew' && store.kept()?.incarnation !== message.incarnation) said.push('renewed in no life')
}

async function lifeOfHosting(t: Parameters<typeof createTown>[0], make: Trouble) {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  const store = memoryRecord()
  const tooMuch: string[] = []
  const trouble = make(store)
  let agent = await startAgent(t, town, store)
  const granted: ScriptedDesk['granted'] = new Map()
  const meet = () => agent.meet({ granted, heard: (message) => checkSaid(store, message, tooMuch) })
  let desk = meet()
  /** The process is gone and another is there, when the trouble says so. */
  const within = (what: string, check: () => boolean) =>
    until(async () => {
      if (trouble.isOver()) {
        await agent.stop()
        agent = await startAgent(t, town, store)
        desk = meet()
      }
      return check()
    }, what)
  desk.grant('h_1', 1)
  const space = () => town.cluster.store.get('Namespace', undefined, 'zaken')
  const activeEpoch = () => space()?.metadata.annotations?.['gemeentecloud.nl/active-epoch']
  await within('it to run', () => activeEpoch() === '1.1' && town.pods('zaken') === 2)
  granted.clear()
  await within('it to be said to have stopped', () => {
    desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(1) })
    return desk.said.some(({ kind }) => kind === 'stopped')
  })
  const records = store.kept()?.records.length
  return { pods: town.pods('zaken'), replicas: town.replicas('zaken'), records, tooMuch }
}

const end = { pods: 0, replicas: 0, records: 1, tooMuch: [] }

/** One try counts the writes; each of them then goes wrong in every way. */
t.test('every write of a life fails, is lost with its process, or only seems lost', async (t) => {
  let writes = 0
  const counting: Trouble = (store) => {
    store.after = (n) => {
      writes = n
    }
    return { isOver: () => false }
  }
  t.same(await lifeOfHosting(t, counting), end)
  t.ok(writes >= 3, 'a beginning, an acceptance and an end')

  const rejecting = (n: number, when: 'before' | 'after') => (store: MemoryRecord) => {
    store[when] = (write) => {
      if (write === n) throw new Error('the disk is full')
    }
    return { isOver: () => false }
  }
  const killing = (n: number, when: 'before' | 'after') => (store: MemoryRecord) => {
    let isHit = false
    store[when] = (write) => {
      if (write !== n) return undefined
      isHit = true
      return new Promise<void>(() => undefined)
    }
    return {
      isOver: () => {
        const was = isHit
        isHit = false
        return was
      },
    }
  }
  const ways = Array.from({ length: writes }, (_, index) => index + 1).flatMap((n) =>
    (['before', 'after'] as const).flatMap((when) => [
      { name: `write ${n} rejects ${when} it is kept`, trouble: rejecting(n, when) },
      { name: `killed ${when} write ${n} is kept`, trouble: killing(n, when) },
    ]),
  )
  for (let index = 0; index < ways.length; index += 4) {
    await Promise.all(
      ways.slice(index, index + 4).map(async ({ name, trouble }) => {
        t.same(await lifeOfHosting(t, trouble), end, name)
      }),
    )
  }
})
