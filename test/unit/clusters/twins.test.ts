/** One cluster under two names: whichever checks end first, and also when they end at one instant, only one passes. */
import pino from 'pino'
import t from 'tap'
import { recordChecks } from '../../../services/broker/clusters/records.ts'
import { selectTwin } from '../../../services/broker/clusters/store.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import { systemRandom } from '../../../services/shared/random.ts'
import { testDatabase } from '../../support/database.ts'
import type { FakeCluster } from './fake-cluster.ts'
import { datacenterRow, partyRow } from './rows.ts'
import { stage } from './stage.ts'

t.test('two that pass at one instant, neither seen by the other before', async (t) => {
  const database = await testDatabase(t)
  const kit = { database, clock: systemClock, random: systemRandom, log: pino({ level: 'silent' }) }
  const partyId = await partyRow(database)
  const slugs = ['utrecht', 'breda', 'delft']
  const ids = await Promise.all(slugs.map((slug) => datacenterRow(database, partyId, slug, 'checking')))
  const subjects = slugs.map((slug, i) => ({ id: ids[i] ?? '', slug, operatorId: partyId }))
  const ended = await Promise.allSettled(subjects.map((each) => recordChecks({ kit, epoch: 0 }, each, 'uid-1', [])))
  t.same(ended.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected'])
  const active = await database.query<{ slug: string }>(`select slug from datacenters where state = 'active'`)
  t.equal(active.length, 1)
  for (const { id, slug } of subjects)
    t.equal(await selectTwin(database, id, 'uid-1'), slug === active[0]?.slug ? undefined : active[0]?.slug, slug)
  t.equal((await database.query(`select 1 from events where type = 'datacenter.activated'`)).length, 1)
})

t.test('two registrations followed side by side: the second is refused by the name of the first', async (t) => {
  const { clusters, datacenter, when, start } = await stage(t, ['utrecht', 'breda'])
  clusters.breda = clusters.utrecht as FakeCluster
  start()
  const both = () => Promise.all([datacenter('utrecht'), datacenter('breda')])
  const seen = await when('both outcomes', both, (pair) =>
    pair.every((d) => d.state === 'active' || d.contact_reason !== null),
  )
  const [passed, refused] = seen.toSorted((a, b) => (a.state < b.state ? -1 : 1))
  t.match([passed, refused], [{ state: 'active' }, { state: 'checking' }])
  t.match(refused.contact_reason, new RegExp(`this cluster is already connected as ${passed.slug}`))
})
