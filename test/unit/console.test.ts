/** What the all-in-one says to whoever started it. */
import { createServer } from 'node:net'
import t from 'tap'
import { wayOut, welcome } from '../../services/console.ts'

const broker = { url: 'http://127.0.0.1:8080', managementUrl: 'http://127.0.0.1:8081', stop: async () => undefined }
const ready = { seconds: 1.26, broker, directory: '/data', demonstration: undefined }

t.test('the first line says what the store holds, whoever brought it', async (t) => {
  const firstLine = (datacenters: number, hostings: number) =>
    welcome({ ...ready, contents: { datacenters, hostings } }).split('\n')[0]
  t.equal(firstLine(0, 0), 'gemeentecloud is ready after 1.3 s: empty.')
  t.equal(firstLine(1, 0), 'gemeentecloud is ready after 1.3 s: 1 datacenter, 0 hostings.')
  t.equal(firstLine(42, 1), 'gemeentecloud is ready after 1.3 s: 42 datacenters, 1 hosting.')
})

t.test('what to try next depends on what there is', async (t) => {
  t.match(
    welcome({ ...ready, contents: { datacenters: 0, hostings: 0 } }),
    /Next.*\n +npx gemeentecloud datacenter reg/,
  )
  t.match(
    welcome({ ...ready, contents: { datacenters: 1, hostings: 0 } }),
    /Next.*\n +npx gemeentecloud datacenter list/,
  )
})

t.test('a port that is taken is named with its setting, by the error that the system gives', async (t) => {
  const squatter = createServer().listen(0, '127.0.0.1')
  t.teardown(() => squatter.close())
  await new Promise((resolve) => squatter.once('listening', resolve))
  const { port } = squatter.address() as { port: number }
  const error = await new Promise<Error>((resolve) => createServer().once('error', resolve).listen(port, '127.0.0.1'))
  const taken = `127.0.0.1:${port} is taken by another program`
  t.match(wayOut(error, { port }), `${taken}: set PORT to another port, or to 0`)
  t.match(wayOut(error, { port: port - 1 }), `${taken}: set MANAGEMENT_PORT`)
  t.equal(wayOut(new Error('something of ours'), { port }), undefined, 'what nobody foresaw is shown as it is')
})
