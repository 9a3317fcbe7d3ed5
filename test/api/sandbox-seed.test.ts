/** The demonstration told to a broker that has it already: nothing twice, and credentials that changed are given anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startDemonstration } from '../../services/sandbox/index.ts'
import { type Clock, systemClock } from '../../services/shared/clock.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { testApi } from '../support/api.ts'
import { temporaryFolder } from '../support/folder.ts'

/** Nobody leads here, so that no datacenter becomes active: the wait for that is over at once. */
const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() * 10_000 }

t.test(
  'the same clusters at the next start cost no write; with other tokens each connection is given anew',
  async (t) => {
    const folder = temporaryFolder('demonstration')
    t.teardown(folder.remove)
    const policy = { allowedAddresses: ['127.0.0.0/8'], sandboxClusters: true }
    const api = await testApi(t, { realConnections: true, policy })
    // Those of the test are not to be taken for parties of the demonstration.
    await api.kit.database.query('update parties set oin = reverse(oin)')
    const into = { api: await api.listen(), loketToken: api.tokenOf('loket'), progress: () => undefined }
    const start = async () => {
      const demonstration = await startDemonstration({ directory: folder.path, clock, random: systemRandom })
      const { datacenters } = await demonstration.seed(into).finally(demonstration.stop)
      const rows = await api.kit.database.query<{ version: number }>('select version from connections')
      t.equal(rows.length, datacenters)
      return [...new Set(rows.map(({ version }) => version))]
    }
    t.same(await start(), [1])
    t.same(await start(), [1])
    const file = join(folder.path, 'sandbox.json')
    const memory = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...memory, identity: { ...memory.identity, secret: 'another' } }))
    t.same(await start(), [2])
    t.same(await start(), [2])
  },
)
