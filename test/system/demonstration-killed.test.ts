/** The demonstration is never twice, whatever came between: killed while it is set up, the next start completes it. */
import { spawn } from 'node:child_process'
import t from 'tap'
import type { Party } from '../../schemas/index.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { mainFile, type RunningBroker, startProcess } from '../support/process.ts'
import {
  datacenters,
  dataDirectory,
  everything,
  hostings,
  list,
  placements,
  ports,
  reachable,
  settled,
} from './demonstration.ts'

t.setTimeout(300_000)
const kills = 6

/** Kills the program with -9 some time after it printed `word`; resolves with its output when it is gone. */
function killedStart(directory: string, word: RegExp, afterMs: number): Promise<string> {
  const child = spawn(process.execPath, [mainFile], {
    env: { ...process.env, ...ports, GEMEENTECLOUD_DATA: directory },
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
