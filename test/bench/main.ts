/**
 * `npm run bench`: what is measured, side by side in one run. Names pick parts. `-- --json` prints one JSON object: each
 * part by its name, or, when one is named, that one alone.
 */
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchEndToEnd } from './end-to-end.ts'
import { benchFailover } from './failover.ts'
import { benchGateway } from './gateway.ts'
import { benchLoad } from './load.ts'
import { benchMirror } from './mirror.ts'
import { benchOpenb, openbLists, openbSeeds } from './openb.ts'
import { benchOverview } from './overview.ts'
import { benchReplan } from './replan.ts'
import { benchRoadef } from './roadef.ts'
import { benchStart } from './start.ts'
import { benchTunnel } from './tunnel.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    decisions: { type: 'string', default: '10000' },
    largest: { type: 'string', default: '10000' },
    lists: { type: 'string', default: openbLists.join(',') },
    seeds: { type: 'string', default: '1' },
    instances: { type: 'string', default: 'a1_1,a1_4,a2_4,b_2' },
    'instance-seconds': { type: 'string', default: '10' },
  },
})

const seconds = Number(values.seconds)
const instanceSeconds = Number(values['instance-seconds'])
const seeds = Number(values.seeds)
const lists = values.lists.split(',')
const instances = values.instances.split(',')

const parts: Record<string, () => Promise<unknown>> = {
  placement: () =>
    benchOverview({
      decisions: Number(values.decisions),
      largest: Number(values.largest),
      lists,
      seeds,
      instances,
      instanceSeconds,
      seconds,
    }),
  roadef: async () => benchRoadef(instanceSeconds, instances) ?? 'the instances are not beside the checkout',
  openb: async () => benchOpenb(lists, openbSeeds(seeds)) ?? 'the trace is not beside the checkout',
  replan: async () => benchReplan(),
  load: () => benchLoad(),
  endToEnd: () => benchEndToEnd(seconds),
  tunnel: () => benchTunnel(Number(values.seconds)),
  gateway: () => benchGateway(seconds),
  failover: () => benchFailover(),
  mirror: () => benchMirror(seconds),
  start: async () => [await benchStart(false), await benchStart(true)],
}

const unknown = positionals.filter((name) => !(name in parts))
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}

const result: Record<string, unknown> = {
  machine: {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  },
}
for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) {
  console.error(`measuring ${name} …`)
  result[name] = await parts[name]?.()
  if (!values.json) console.log(name, result[name])
}
const [only, ...others] = positionals
const printed = only === undefined || others.length > 0 ? result : result[only]
if (values.json) console.log(JSON.stringify(printed, null, 2))
process.exit(0)
