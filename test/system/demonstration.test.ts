/** The demonstration: whole at its first start, the same at the next, and never twice whatever came between. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { Datacenter, Hosting, Party, System } from '../../schemas/index.ts'
import { processesRunning } from '../../scripts/test/processes.ts'
import { openDatabase } from '../../services/shared/db/database.ts'
import { startEmbedded } from '../../services/shared/db/embedded.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { until } from '../clusters/wait.ts'
import { temporaryFolder } from '../support/folder.ts'
import { mainFile, type RunningBroker, startProcess } from '../support/process.ts'

t.setTimeout(300_000)
const log = pino({ level: 'silent' })
const datacenters = 41
const hostings = 18
/** One of them asks for no fallback. */
const placements = 2 * hostings - 1
const kills = 6

/** A folder whose broker and PostgreSQL are gone with the test. */
function dataDirectory(t: Test): string {
  const { path, remove } = temporaryFolder('demonstration')
  t.teardown(async () => {
    await (await startEmbedded({ dataDirectory: path, log })).stop()
    remove()
  })
  return path
}

async function list<T>({ api, tokens }: RunningBroker, path: string): Promise<T[]> {
  const headers = { authorization: `Bearer ${tokens.loket}` }
  const answer = await fetch(`${api}/api/v1/${path}?limit=500`, { headers })
  return ((await answer.json()) as { items: T[] }).items
}

const tables = ['parties', 'datacenters', 'offers', 'systems', 'hostings', 'placements'] as const

/** The ids of everything the demonstration makes. The store is looked into while its broker runs. */
async function everything(directory: string): Promise<Record<(typeof tables)[number], string[]>> {
  const store = await startEmbedded({ dataDirectory: directory, log })
  const database = openDatabase({ url: store.url, connections: 1 })
  try {
    const ids = async (table: string) =>
      (await database.query<{ id: string }>(`select id from ${table} order by id`)).map(({ id }) => id)
    const found = await Promise.all(tables.map(async (table) => [table, await ids(table)] as const))
    return Object.fromEntries(found) as Record<(typeof tables)[number], string[]>
  } finally {
    await database.close()
  }
}

/** Waits until each hosting runs where it was placed and is as protected as it asked to be. */
function settled(broker: RunningBroker): Promise<Hosting[]> {
  return until('all hostings to run', 60_000, async () => {
    const found = await list<Hosting>(broker, 'hostings')
    const fine = found.filter(({ state, fallback, fallbackStatus }) => {
      return state === 'running' && fallbackStatus === (fallback.mode === 'none' ? 'none' : 'ready')
    })
    return fine.length === hostings && found.length === hostings ? found : undefined
  })
}

async function reachable(broker: RunningBroker): Promise<Datacenter[]> {
  return until('all datacenters to be reachable', 60_000, async () => {
    const found = await list<Datacenter>(broker, 'datacenters')
    const fine = found.filter(({ state, contact }) => state === 'active' && contact === 'reachable')
    return fine.length === datacenters && found.length === datacenters ? found : undefined
  })
}

const kubeconfigIn = (directory: string) => readFileSync(join(directory, 'kubeconfig.yaml'), 'utf8')
const portIn = (directory: string): number => JSON.parse(readFileSync(join(directory, 'sandbox.json'), 'utf8')).port

t.test('a first start has all of it, the next ones go on with it', async (t) => {
  const directory = dataDirectory(t)
  const first = await startProcess(directory, [])
  t.teardown(() => first.end('SIGKILL'))
  t.match(first.output(), `${datacenters} datacenters, ${hostings} hostings. Capacities are invented.`)

  await reachable(first)
  const placed = await settled(first)
  for (const { name, placements, fallback } of placed) {
    const sites = new Set(placements.map(({ datacenter }) => datacenter))
    t.equal(sites.size, fallback.mode === 'none' ? 1 : 2, `${name} stands at ${[...sites].join(' and ')}`)
  }
  const systems = await list<System>(first, 'systems')
  t.equal(new Set(systems.map(({ slug }) => slug)).size, 12, 'the twelve systems')
  const owners = new Set(systems.map(({ ownerId }) => ownerId))
  const names = (await list<Party>(first, 'parties')).filter(({ id }) => owners.has(id)).map(({ name }) => name)
  t.same(names.sort(), ['Dimpact', 'Gemeentelijk Gegevensknooppunt', 'GovUnited', 'Wigo4it'])
  await ownUseIsInvented(t, first)

  const before = await everything(directory)
  const kubeconfig = kubeconfigIn(directory)
  t.equal(before.offers.length, datacenters)
  t.equal(before.placements.length, placements)
  t.equal(await first.end('SIGINT'), 0, 'Ctrl-C')
  t.same(processesRunning(directory), [])

  const second = await startProcess(directory, [])
  t.teardown(() => second.end('SIGKILL'))
  await reachable(second)
  await settled(second)
  t.notMatch(readFileSync(join(directory, 'log.jsonl'), 'utf8'), /ECONNREFUSED/, 'agents know the new port of the desk')
  t.notMatch(second.output(), /^\{/m, 'nothing for machines is on the terminal')
  t.same(await everything(directory), before, 'the same, and nothing twice')
  t.equal(kubeconfigIn(directory), kubeconfig, 'a kubeconfig of yesterday still works')
  t.equal(await second.end('SIGTERM'), 0)

  const port = portIn(directory)
  const squatter = createServer().listen(port, '127.0.0.1')
  t.teardown(() => squatter.close())
  await new Promise((resolve) => squatter.once('listening', resolve))
  const third = await startProcess(directory, [])
  t.teardown(() => third.end('SIGKILL'))
  t.not(portIn(directory), port, 'where its port is taken it takes another')
  const ways = (await reachable(third)).map(({ connection }) => connection?.kind)
  t.same(new Set(ways), new Set(['agent']), 'and the agents find it there')
  await settled(third)
  t.same(await everything(directory), before, 'all else is as it was')
  t.equal(await third.end('SIGTERM'), 0)
})

/** 20 to 30 % of what there is, at each datacenter, as the metrics have it. */
async function ownUseIsInvented(t: Test, { management }: RunningBroker): Promise<void> {
  const figures = await until('metrics of every datacenter', 30_000, async () => {
    const page = await (await fetch(`${management}/metrics`)).text()
    const read = (name: string, resource: string) =>
      new Map(
        [...page.matchAll(new RegExp(`^gemeentecloud_datacenter_${name}{(.*)} (.*)$`, 'gm'))]
          .filter(([, labels = '']) => labels.includes(`resource="${resource}"`))
          .map(([, labels = '', value]) => [/datacenter="([^"]*)"/.exec(labels)?.[1], Number(value)]),
      )
    const all = ['cpu', 'memory'].flatMap((resource) => {
      const allocatable = read('allocatable', resource)
      return [...read('own_use', resource)].map(([name, used]) => ({
        name: `${name} ${resource}`,
        share: used / (allocatable.get(name) ?? Number.NaN),
      }))
    })
    return all.length === 2 * datacenters ? all : undefined
  })
  t.same(
    figures.filter(({ share }) => !(share >= 0.2 && share <= 0.3)),
    [],
    'own use is 20 to 30 % everywhere',
  )
}

/** Kills the program with -9 some time after it printed `word`; resolves with its output when it is gone. */
function killedStart(directory: string, word: RegExp, afterMs: number): Promise<string> {
  const child = spawn(process.execPath, [mainFile], {
    env: {
      ...process.env,
      PORT: '0',
      MANAGEMENT_PORT: '0',
      TUNNEL_PORT: '0',
      GATEWAY_PORT: '0',
      GEMEENTECLOUD_DATA: directory,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (!word.test(output) && word.test(output + chunk)) setTimeout(() => child.kill('SIGKILL'), afterMs)
    output += chunk
  })
  return new Promise((resolve) => child.once('close', () => resolve(output)))
}

t.test(`killed with -9 ${kills} times while it is set up: the next start completes it, nothing is twice`, async (t) => {
  const directory = dataDirectory(t)
  for (let round = 0; round < kills; round++) {
    // At first while it registers, then while it asks; a start that finds all of it says only that it is ready.
    const word = round < kills / 2 ? /./ : /asking for hosting|is ready/
    const afterMs = (systemRandom.bytes(1)[0] ?? 0) * 3
    const output = await killedStart(directory, word, afterMs)
    t.comment(`killed after ${afterMs} ms: ${output.trim().split('\n').at(-1)}`)
  }
  const broker = await startProcess(directory, [])
  t.teardown(() => broker.end('SIGKILL'))
  await reachable(broker)
  await settled(broker)
  const found = await everything(directory)
  const oins = (await list<Party>(broker, 'parties')).map(({ oin }) => oin)
  t.equal(new Set(oins).size, oins.length, 'no party twice')
  t.equal(found.datacenters.length, datacenters)
  t.equal(found.offers.length, datacenters, 'one offer each')
  t.equal(found.systems.length, hostings, 'each programme its own')
  t.equal(found.placements.length, placements)
  const { items } = await events(broker)
  const count = (type: string) => items.filter((event) => event.type === type).length
  t.equal(count('party.admitted'), oins.length)
  t.equal(count('datacenter.registered'), datacenters)
  t.equal(count('hosting.requested'), hostings)
  t.equal(count('hosting.placed'), hostings, 'placed once')
  t.equal(await broker.end('SIGTERM'), 0)
})

async function events({ api, tokens }: RunningBroker): Promise<{ items: { type: string }[] }> {
  const items: { type: string }[] = []
  for (let cursor = ''; ; ) {
    const answer = await fetch(`${api}/api/v1/events?limit=500${cursor && `&cursor=${cursor}`}`, {
      headers: { authorization: `Bearer ${tokens.auditor}` },
    })
    const page = (await answer.json()) as { items: { type: string }[]; next?: string }
    items.push(...page.items)
    if (page.next === undefined) return { items }
    cursor = encodeURIComponent(page.next)
  }
}

/** Until it has ended: what it said, and the code. The signal is sent when it tells of this step. */
async function interrupted(directory: string, step: string): Promise<{ text: string; code: number | null }> {
  const ports = { PORT: '0', MANAGEMENT_PORT: '0', TUNNEL_PORT: '0', GATEWAY_PORT: '0' }
  const child = spawn(process.execPath, [mainFile], {
    env: { ...process.env, ...ports, GEMEENTECLOUD_DATA: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      if (!text.includes(step) && chunk.includes(step)) child.kill('SIGINT')
      text += chunk
    })
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { text, code }
}

t.test('Ctrl-C while it is set up: ended at once, with nothing left, and completed by the next start', async (t) => {
  for (const step of ['registering datacenters', 'asking for hosting']) {
    for (let attempt = 1; ; attempt++) {
      const directory = dataDirectory(t)
      const { text, code } = await interrupted(directory, step)
      t.equal(code, 0, `${step}: ${text}`)
      t.match(text, /Stopping …/)
      t.notMatch(text, /did not start|Stopping ….*is ready/s, step)
      t.same(processesRunning(directory), [], step)
      // On a busy machine the signal may be late for what was to be interrupted.
      if (text.includes('is ready') && attempt < 5) continue
      t.notMatch(text, /is ready/, step)
      const next = await startProcess(directory, [])
      t.teardown(() => next.end('SIGKILL'))
      await settled(next)
      t.equal(await next.end('SIGTERM'), 0)
      break
    }
  }
})

t.test('--empty has none of it', async (t) => {
  const directory = dataDirectory(t)
  const broker = await startProcess(directory, ['--empty'])
  t.teardown(() => broker.end('SIGKILL'))
  t.match(broker.output(), /: empty\./)
  t.notMatch(broker.output(), /kubeconfig +\//)
  const { parties, ...others } = await everything(directory)
  t.equal(parties.length, 4, 'the desk, and one party for each token of this machine')
  t.same(others, { datacenters: [], offers: [], systems: [], hostings: [], placements: [] })
  for (const file of ['kubeconfig.yaml', 'sandbox.json']) t.notOk(existsSync(join(directory, file)), file)
  t.equal(await broker.end('SIGTERM'), 0)
})

t.test('--empty is refused where the demonstration is: its clusters would be missing', async (t) => {
  const directory = dataDirectory(t)
  writeFileSync(join(directory, 'sandbox.json'), '{}')
  await t.rejects(startProcess(directory, ['--empty']), { message: /ended with 2[\s\S]*Leave out --empty/ })
})
