/** The demonstration: whole at its first start, and the same at the next. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Party, System } from '../../schemas/index.ts'
import { processesRunning } from '../../scripts/test/processes.ts'
import { until } from '../clusters/wait.ts'
import { type RunningBroker, startProcess } from '../support/process.ts'
import {
  datacenters,
  dataDirectory,
  everything,
  hostings,
  list,
  placements,
  reachable,
  settled,
} from './demonstration.ts'

t.setTimeout(300_000)

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
