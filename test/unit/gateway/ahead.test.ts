/** What is read of the store is believed for a second, and read anew before that is over, so that who asks often never waits. */
import pino from 'pino'
import t from 'tap'
import { createDirectory } from '../../../services/gateway/directory.ts'
import { createMembers } from '../../../services/gateway/members.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import type { Database } from '../../../services/shared/db/database.ts'
import { createSecrets } from '../../../services/shared/secrets.ts'

const log = pino({ level: 'silent' })

/** A store whose answers the test gives, and a time that it moves. */
function stage() {
  let now = 10_000
  const asked: PromiseWithResolvers<object[]>[] = []
  const query = () => {
    const answer = Promise.withResolvers<object[]>()
    asked.push(answer)
    return answer.promise
  }
  const database = { query } as unknown as Database
  const monotonic = () => now
  const to = (time: number) => {
    now = 10_000 + time
  }
  return { database, monotonic, asked, to }
}

/** One that is told apart by what the store answered. */
function directoryStage() {
  const { database, monotonic, ...rest } = stage()
  const directory = createDirectory({ database, clock: { ...systemClock, monotonic }, log })
  const row = (name: string) => ({ name, id: name, system: 's', createdMs: 0, placementId: null, wanted: 'running' })
  const names = async () => [...(await directory.of('pty_1')).spaces.keys()]
  return { ...rest, names, row }
}

function membersStage() {
  const { database, monotonic, ...rest } = stage()
  const pipe = () => Promise.reject(new Error('there is none'))
  const secrets = createSecrets(new Uint8Array(32))
  const members = createMembers(database, { allowedAddresses: [], secrets, monotonic, log, pipe })
  const row = (slug: string) => ({
    datacenterId: 'dc_1',
    slug,
    kind: 'agent',
    version: slug.length,
    sealed: Buffer.alloc(0),
  })
  const names = async () => [...(await members.of(['dc_1'])).values()].map(({ slug }) => slug)
  return { ...rest, names, row }
}

for (const [what, create] of [
  ['the directory', directoryStage],
  ['the members', membersStage],
] as const) {
  t.test(`${what}: read once, believed, and read ahead while it is`, async (t) => {
    const { names, row, asked, to } = create()
    const [first, beside] = [names(), names()]
    t.equal(asked.length, 1, 'those who ask together read once')
    asked[0]?.resolve([row('een')])
    t.same([await first, await beside], [['een'], ['een']])

    to(499)
    t.same(await names(), ['een'])
    t.equal(asked.length, 1)
    to(600)
    t.same(await names(), ['een'], 'without waiting for the store')
    t.same(await names(), ['een'])
    t.equal(asked.length, 2, 'which is asked once')
    asked[1]?.resolve([row('twee')])
    await asked[1]?.promise
    await new Promise((resolve) => setImmediate(resolve))
    t.same(await names(), ['twee'])
  })

  t.test(`${what}: what could not be read ahead is waited for, and no longer believed`, async (t) => {
    const { names, row, asked, to } = create()
    const first = names()
    asked[0]?.resolve([row('een')])
    await first
    to(600)
    t.same(await names(), ['een'])
    asked[1]?.reject(new Error('the store is away'))
    await new Promise((resolve) => setImmediate(resolve))
    t.same(await names(), ['een'])
    to(1_001)
    const late = names()
    t.equal(asked.length, 3, 'one that is under way is not asked beside')
    asked[2]?.reject(new Error('the store is away'))
    await t.rejects(late, { message: 'the store is away' })
    const again = names()
    asked[3]?.resolve([row('drie')])
    t.same(await again, ['drie'])
  })
}
