/** Four hundred datacenters of fifty nodes, with the broker that follows them all, in one process under 2 GiB. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { testDatabase } from '../support/database.ts'
import type { Weight } from '../support/large-federation.ts'

const program = fileURLToPath(new URL('../support/large-federation.ts', import.meta.url))
const limitBytes = 2 * 2 ** 30

t.setTimeout(230_000)
t.test('400 datacenters of 50 nodes in one process', async (t) => {
  const { url } = await testDatabase(t)
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--url', url], { timeout: 220_000 })
  const { datacenters, nodes, residentBytes } = JSON.parse(stdout) as Weight
  t.equal(datacenters, 400)
  t.equal(nodes, 400 * 50)
  t.ok(residentBytes < limitBytes, `${Math.round(residentBytes / 2 ** 20)} MiB resident`)
})
