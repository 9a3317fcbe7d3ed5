/** The log of a program that a person looks at: lines in a file, and what is an error in a sentence. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createFileLogger } from '../../../services/shared/log.ts'
import { temporaryFolder } from '../../support/folder.ts'

const { path: folder, remove } = temporaryFolder('log')
t.teardown(remove)
const path = join(folder, 'log.jsonl')
const read = (file: string) => readFileSync(file, 'utf8')

t.test('warnings go to the file alone, errors are told too, and nothing secret is in either', async (t) => {
  const told: string[] = []
  const log = createFileLogger('warn', path, (sentence) => told.push(sentence))
  log.info('nobody asked')
  log.warn({ err: new Error('no answer') }, 'a cluster is away')
  log.child({ agent: 'zwolle' }).error({ token: 'gct_secret' }, 'a job failed')
  log.error({ err: new Error('no connection') }, 'a part failed')
  t.same(told, ['a job failed', 'a part failed: no connection'])
  const lines = read(path)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(lines, [{ msg: 'a cluster is away' }, { msg: 'a job failed', agent: 'zwolle' }, { msg: 'a part failed' }])
  t.notMatch(read(path), /gct_secret|nobody asked/)
})

t.test('the file begins anew, and the one before is kept', async (t) => {
  const log = createFileLogger('warn', path, () => undefined)
  log.warn('another start')
  t.match(read(path), /another start/)
  t.notMatch(read(path), /a cluster is away/)
  t.match(read(`${path}.before`), /a cluster is away/)
})
