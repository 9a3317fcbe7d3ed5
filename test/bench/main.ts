/** `npm run bench`: what is measured, side by side in one run. `-- --json` prints one JSON object; names pick parts. */
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchEndToEnd } from './end-to-end.ts'
import { benchOpenb, openbLists, openbSeeds } from './openb.ts'
import { benchEngine } from './placement.ts'
import { benchFill, benchReserve } from './quality.ts'
import { benchRoadef } from './roadef.ts'
import { benchStart } from './start.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, seconds: { type: 'string', default: '10' } },
})

const parts: Record<string, () => Promise<unknown>> = {
  placement: async () => ({ engine: benchEngine(), reserve: benchReserve(), baselines: benchFill() }),
  roadef: async () => benchRoadef(Number(values.seconds)) ?? 'the instances are not beside the checkout',
  openb: async () => benchOpenb(openbLists, openbSeeds(10)) ?? 'the trace is not beside the checkout',
  endToEnd: () => benchEndToEnd(Number(values.seconds)),
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
if (values.json) console.log(JSON.stringify(result, null, 2))
process.exit(0)
