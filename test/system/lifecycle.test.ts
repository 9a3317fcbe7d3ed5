/** The all-in-one as a process: one per data directory, taken up after kill -9, stopped without a trace, plain when wrong. */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { Role } from '../../schemas/index.ts'
import { startEmbedded } from '../../services/shared/db/embedded.ts'
import { temporaryFolder } from '../support/folder.ts'
import { mainFile, type RunningBroker, startProcess } from '../support/process.ts'
import { registrationOf } from '../support/registration.ts'

t.setTimeout(300_000)
const log = pino({ level: 'silent' })

/** A data directory whose broker and PostgreSQL are gone with the test, whatever it came to. */
function dataDirectory(t: Test): string {
  const { path, remove } = temporaryFolder('lifecycle')
  t.teardown(async () => {
    if (postgresOf(path) !== undefined) await (await startEmbedded({ dataDirectory: path, log })).stop()
    remove()
  })
  return path
}

async function broker(t: Test, directory: string, env: Record<string, string> = {}): Promise<RunningBroker> {
  const running = await startProcess(directory, ['--empty'], env)
  t.teardown(() => running.end('SIGKILL'))
  return running
}

/** The process id of the PostgreSQL of a data directory, while it runs. */
function postgresOf(directory: string): number | undefined {
  const file = [join(directory, 'database/postgres'), join(directory, 'postgres')]
    .map((cluster) => join(cluster, 'postmaster.pid'))
    .find(existsSync)
  const pid = file === undefined ? Number.NaN : Number(readFileSync(file, 'utf8').split('\n')[0])
  return Number.isInteger(pid) && isRunning(pid) ? pid : undefined
}

/** Not so a process that ended and was not fetched by its parent: in a container nobody may do that. */
function isRunning(pid: number): boolean {
  try {
    const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return state !== 'Z' && state !== 'X'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return false
  }
}

interface Ended {
  readonly code: number | null
  readonly text: string
  readonly ms: number
}

/** Root may write everywhere, so the program is run as somebody who may not. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** Runs the program to its end; Ctrl-C is pressed once, as soon as `interrupt` holds. */
function runToEnd(
  env: Record<string, string>,
  flags: readonly string[] = ['--empty'],
  interrupt?: () => boolean,
  user?: object,
): Promise<Ended> {
  const began = performance.now()
  const child = spawn(process.execPath, [mainFile, ...flags], {
    ...user,
    env: { ...process.env, PORT: '0', MANAGEMENT_PORT: '0', TUNNEL_PORT: '0', GATEWAY_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
  }
  const watch = setInterval(() => {
    if (!interrupt?.()) return
    clearInterval(watch)
    child.kill('SIGINT')
  }, 5)
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearInterval(watch)
      resolve({ code, text, ms: performance.now() - began })
    })
  })
}

const systems = (running: RunningBroker, body?: object) => ask(running, 'consumer', 'systems', body)

/** What a list holds, or the answer to what is sent to it. */
async function ask({ api, tokens }: RunningBroker, role: Role, list: string, body?: object): Promise<any> {
  const headers = {
    authorization: `Bearer ${tokens[role]}`,
    ...(body && { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }),
  }
  const answer = await fetch(`${api}/api/v1/${list}`, {
    headers,
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  })
  return answer.json()
}

const system = { slug: 'zaak', name: 'Open Zaak', classes: { availability: 1, integrity: 1, confidentiality: 1 } }

t.test('a second process on the same data is refused at once, and the first does not notice', async (t) => {
  const directory = dataDirectory(t)
  const first = await broker(t, directory)
  const elsewhere = temporaryFolder('lifecycle-link')
  t.teardown(elsewhere.remove)
  const link = join(elsewhere.path, 'another-name')
  symlinkSync(directory, link)
  // All that it loads has been loaded before it says how it is used.
  const usage = await runToEnd({ GEMEENTECLOUD_DATA: directory }, ['--help'])
  t.equal(usage.code, 0)
  for (const path of [directory, link]) {
    const second = await runToEnd({ GEMEENTECLOUD_DATA: path })
    t.equal(second.code, 1)
    t.match(
      second.text,
      new RegExp(`in use by process ${first.process.pid}: stop that first, or set GEMEENTECLOUD_DATA`),
    )
    t.notMatch(second.text, /\n +at /, 'no stack')
    t.ok(second.ms < 3 * usage.ms, `${Math.round(second.ms)} ms, where its usage takes ${Math.round(usage.ms)} ms`)
  }
  t.same(await systems(first), { items: [] })
  t.ok(postgresOf(directory))
})

t.test(
  'killed with -9 its PostgreSQL stays, and the next start takes it up with all that was acknowledged',
  async (t) => {
    const directory = dataDirectory(t)
    const first = await broker(t, directory)
    const made = await systems(first, system)
    const { operatorId: _, connection: __, ...registration } = registrationOf('parkstad', '', '')
    t.match(await ask(first, 'provider', 'datacenters', registration), { slug: 'parkstad' })
    const postgres = postgresOf(directory)
    await first.end('SIGKILL')
    t.ok(postgres !== undefined && isRunning(postgres), 'the store outlives the broker')

    const second = await broker(t, directory)
    t.equal(postgresOf(directory), postgres, 'the same PostgreSQL')
    t.same((await systems(second)).items, [made])
    t.match(second.output(), /is ready after [\d.]+ s: 1 datacenter, 0 hostings\.\n/, 'what the store holds')
    t.same(second.tokens, first.tokens, 'and the same tokens')

    t.equal(await second.end('SIGINT'), 0, 'Ctrl-C')
    t.match(second.output(), /Stopping/)
    t.notOk(postgres !== undefined && isRunning(postgres), 'PostgreSQL is stopped')
    await t.rejects(fetch(`${second.api}/api/v1/openapi.json`), 'nothing listens')

    const third = await broker(t, directory)
    t.same((await systems(third)).items, [made], 'a clean stop loses nothing either')
    t.equal(await third.end('SIGTERM'), 0)
    t.equal(postgresOf(directory), undefined)
  },
)

t.test('a PostgreSQL that was killed too is started again over what it left', async (t) => {
  const directory = dataDirectory(t)
  const first = await broker(t, directory)
  const made = await systems(first, system)
  const postgres = postgresOf(directory) ?? 0
  await first.end('SIGKILL')
  process.kill(postgres, 'SIGKILL')
  const second = await broker(t, directory)
  t.not(postgresOf(directory), postgres)
  t.same((await systems(second)).items, [made])
  t.equal(await second.end('SIGTERM'), 0)
})

t.test('Ctrl-C at any moment of the first start leaves no process, and the next start works', async (t) => {
  const moments: Record<string, (directory: string) => boolean> = {
    'the data directory is ours': (directory) => existsSync(join(directory, 'postgres.password')),
    'PostgreSQL is being made': (directory) =>
      readdirSync(directory, { recursive: true }).some((name) => String(name).endsWith('PG_VERSION')),
    'PostgreSQL starts': (directory) => postgresOf(directory) !== undefined,
    'the broker serves': (directory) => existsSync(join(directory, 'access.json')),
  }
  for (const [name, moment] of Object.entries(moments)) {
    const directory = dataDirectory(t)
    const ended = await runToEnd({ GEMEENTECLOUD_DATA: directory }, ['--empty'], () => moment(directory))
    t.equal(ended.code, 0, `${name}: ${ended.text}`)
    t.match(ended.text, /Stopping …/, name)
    t.notMatch(ended.text, /is ready|did not start/, name)
    t.equal(postgresOf(directory), undefined, name)
    t.equal(await (await broker(t, directory)).end('SIGTERM'), 0, `${name}, and then`)
  }
})

t.test('a follower of events does not hold up the stop', async (t) => {
  const running = await broker(t, dataDirectory(t))
  const headers = { authorization: `Bearer ${running.tokens.auditor}`, accept: 'text/event-stream' }
  const stream = await fetch(`${running.api}/api/v1/events`, { headers })
  t.equal(stream.status, 200)
  const [code, text] = await Promise.all([running.end('SIGINT'), stream.text()])
  t.equal(code, 0, running.output())
  t.match(text, /^event: party\.admitted$/m, 'told to its end')
})

t.test('wrong configuration: all of it at once, exit 2, and nothing is made', async (t) => {
  const { path, remove } = temporaryFolder('lifecycle')
  t.teardown(remove)
  const directory = join(path, 'data')
  const wrong = {
    GEMEENTECLOUD_DATA: directory,
    PORT: 'eighty',
    LOG_LEVEL: 'loud',
    LOKET_OIN: '1',
    GEMEENTECLOUD_POTR: '1',
  }
  const { code, text } = await runToEnd(wrong, ['--empty', '--demo'])
  t.equal(code, 2)
  for (const name of ['PORT', 'LOG_LEVEL', 'LOKET_OIN', 'GEMEENTECLOUD_POTR', '--demo'])
    t.match(text, new RegExp(`^  ${name} `, 'm'))
  t.notOk(existsSync(directory))
})

const inProc: [string, RegExp] = ['/proc/nope/data', /\/proc\/nope cannot be made: name another/]

t.test('a folder that cannot be: a sentence within seconds, exit 1, and nothing is made', async (t) => {
  const { path, remove } = temporaryFolder('lifecycle')
  t.teardown(remove)
  writeFileSync(join(path, 'file'), '')
  mkdirSync(join(path, 'locked'))
  // PostgreSQL's user, or whoever runs this, may not write there.
  chmodSync(join(path, 'locked'), 0o555)
  const cases: [string, RegExp, object?][] = [
    // Node's own mkdir goes round in circles there.
    ...(existsSync('/proc/self') ? [inProc] : []),
    ['file', /file is a file: name another directory with GEMEENTECLOUD_DATA/],
    ['file/data', /file is a file: name another/],
    ['locked/data', /locked\/data may not be written by you: name another/, unprivileged],
  ]
  for (const [name, words, user] of cases) {
    const { code, text, ms } = await runToEnd({ GEMEENTECLOUD_DATA: resolve(path, name) }, ['--empty'], undefined, user)
    t.equal(code, 1, text)
    t.match(text, words)
    t.notMatch(text, /\n +at /, 'no stack')
    t.ok(ms < 10_000, `after ${Math.round(ms)} ms`)
  }
  t.same(readdirSync(join(path, 'locked')), [])
})

t.test('a port that is taken: said, exit 1, and no PostgreSQL stays behind', async (t) => {
  const directory = dataDirectory(t)
  const squatter = createServer().listen(0, '127.0.0.1')
  t.teardown(() => squatter.close())
  await new Promise((resolve) => squatter.once('listening', resolve))
  const { port } = squatter.address() as { port: number }
  for (const name of ['PORT', 'MANAGEMENT_PORT', 'TUNNEL_PORT', 'GATEWAY_PORT']) {
    const { code, text } = await runToEnd({ GEMEENTECLOUD_DATA: directory, [name]: String(port) })
    t.equal(code, 1, name)
    t.match(text, new RegExp(`${port}`), name)
    t.notMatch(text, /\n +at /, 'no stack')
    t.equal(postgresOf(directory), undefined, name)
  }
})
