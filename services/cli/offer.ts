/** `datacenter offer`: what a provider puts up, for how long, of what quality, at what tariff. */
import { type Command, Option } from 'commander'
import type { Offer } from '../../schemas/index.ts'
import { rfc3339 } from '../shared/clock.ts'
import { usage } from './errors.ts'
import { findDatacenter } from './find.ts'
import { euroAmount, instant, pair, pairOf, several } from './flags.ts'
import { action, type Shell } from './session.ts'
import { line } from './text.ts'

interface OfferOptions {
  cpu?: string
  memory?: string
  ephemeralStorage?: string
  pods?: string
  storage?: [string, string][]
  resource?: [string, string][]
  from?: string
  until?: string
  quality: string
  tariff?: [string, number][]
}

export function offerCommand(datacenter: Command, shell: Shell): void {
  datacenter
    .command('offer <name>')
    .description('offer spare capacity')
    .option('--cpu <quantity>', 'cores, such as 64 or 500m')
    .option('--memory <quantity>', 'such as 256Gi')
    .option('--ephemeral-storage <quantity>', 'such as 500Gi')
    .option('--pods <count>', 'how many pods')
    .option('--storage <class=quantity>', 'storage of a class, such as standaard=10Ti; may be repeated', several(pair))
    .option('--resource <name=quantity>', 'anything else, such as nvidia.com/gpu=2; may be repeated', several(pair))
    .option('--from <when>', 'date or instant; now when absent', instant)
    .option('--until <when>', 'date or instant, not itself included; open when absent', instant)
    .addOption(
      new Option('--quality <quality>', 'how firm it is')
        .choices(['guaranteed', 'revocable', 'opportunistic'])
        .default('guaranteed'),
    )
    .option(
      '--tariff <resource=euros>',
      'euros a month per core, per GiB of memory or storage, per piece of anything else; may be repeated',
      several(pairOf((text) => euroAmount(text, 6))),
    )
    .action(
      action<OfferOptions>(shell, 'provider', async (session, options, [name = '']) => {
        const body = offerFrom(options, rfc3339(session.io.clock.now()))
        const { id, slug } = await findDatacenter(session.api(), name)
        const change = session.api().change<Offer>('POST', `/datacenters/${id}/offers`, { body })
        const made = (await session.during('offering', change)).body
        const until = made.period.end === null ? 'until further notice' : `until ${made.period.end}`
        await session.show(made, () => line`${slug} offers from ${made.period.start} ${until} (${made.id}).\n`)
        return undefined
      }),
    )
}

function offerFrom(options: OfferOptions, now: string): Record<string, unknown> {
  const plain = {
    cpu: options.cpu,
    memory: options.memory,
    'ephemeral-storage': options.ephemeralStorage,
    pods: options.pods,
  }
  const amounts = [
    ...Object.entries(plain).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ...(options.storage ?? []).map(([name, amount]): [string, string] => [`storage/${name}`, amount]),
    ...(options.resource ?? []),
  ]
  if (amounts.length === 0)
    throw usage('nothing is offered: give at least one of --cpu, --memory, --pods, --storage, --resource')
  return {
    amounts: once('--resource', amounts),
    period: { start: options.from ?? now, end: options.until ?? null },
    quality: options.quality,
    tariff: once('--tariff', options.tariff ?? []),
  }
}

/** Twice the same name is a slip of the pen, not an addition. */
function once<T>(flag: string, entries: readonly (readonly [string, T])[]): Record<string, T> {
  const seen: Record<string, T> = {}
  for (const [name, value] of entries) {
    if (Object.hasOwn(seen, name)) throw usage(`${flag}: ${name} is given twice`)
    seen[name] = value
  }
  return seen
}
