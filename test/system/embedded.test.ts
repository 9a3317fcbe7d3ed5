/** The embedded PostgreSQL of a root whose data directory PostgreSQL's user cannot reach: kept apart, and never mixed up. */
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { openDatabase } from '../../services/shared/db/database.ts'
import { type Embedded, startEmbedded } from '../../services/shared/db/embedded.ts'
import { temporaryFolder } from '../support/folder.ts'

const skip = process.getuid?.() === 0 ? false : 'only root has its PostgreSQL run by another user'

t.test(
  'a data directory that was removed and made anew has a new database; the old one is put aside',
  { skip },
  async (t) => {
    const folder = temporaryFolder('embedded')
    t.teardown(folder.remove)
    chmodSync(folder.path, 0o700)
    const dataDirectory = join(folder.path, 'data')
    const said: { msg: string; directory: string }[] = []
    const log = pino({ level: 'warn' }, { write: (text) => said.push(JSON.parse(text)) })
    const servers: Embedded[] = []
    const start = async () => {
      const server = await startEmbedded({ dataDirectory, log })
      servers.push(server)
      return server
    }
    const run = async ({ url }: Embedded, text: string) => {
      const database = openDatabase({ url, connections: 1 })
      return database.query(text).finally(() => database.close())
    }

    const first = await start()
    const [place] = await run(first, 'show data_directory')
    const home = dirname(String(place?.['data_directory']))
    t.teardown(() => rmSync(dirname(home), { recursive: true, force: true }))
    t.teardown(() => servers.at(-1)?.stop())
    t.notOk(home.startsWith(folder.path), `kept at ${home}`)
    await run(first, 'create table kept (n integer)')
    await first.stop()
    const again = await start()
    t.same(await run(again, 'select * from kept'), [], 'the next start finds it')
    t.same(said, [])
    await again.stop()

    rmSync(dataDirectory, { recursive: true })
    mkdirSync(dataDirectory)
    const anew = await start()
    await t.rejects(run(anew, 'select * from kept'), { code: '42P01' }, 'nothing of before')
    t.match(said, [{ msg: /the database of one that was here before is put aside/ }])
    t.match(said[0]?.directory, new RegExp(`^${home}\\.\\d+$`))
    t.ok(readdirSync(said[0]?.directory ?? '').includes('postgres'), 'it is all there')
    t.equal(readdirSync(dirname(home)).filter((name) => name.startsWith(basename(home))).length, 2)
  },
)
