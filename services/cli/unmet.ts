/** `unmet-demand`: where capacity is short, for how much and since when. */
import type { Command } from 'commander'
import type { UnmetDemand } from '../../schemas/index.ts'
import { action, type Shell } from './session.ts'
import { renderTable } from './table.ts'
import { duration } from './text.ts'

interface UnmetOptions {
  region?: string
  rule?: string
}

export function unmetCommands(program: Command, shell: Shell): void {
  program
    .command('unmet-demand')
    .description('where capacity is short: refused hostings that are still wanted')
    .option('--region <region>', 'only what asks this region')
    .option('--rule <rule>', 'only what failed this rule, such as offer-short')
    .action(
      action<UnmetOptions>(shell, 'loket', async (session, { region, rule }) => {
        const reading = session.api().list<UnmetDemand>('/unmet-demand', { region, rule })
        const found = await session.during('reading the register', reading)
        const now = session.io.clock.now()
        await session.show(found, () => renderTable(columns, [...found].sort(byRegion).map(rowOf(now)), session.paint))
        return undefined
      }),
    )
}

const columns = [
  { title: 'REGION' },
  { title: 'WHY' },
  { title: 'HOSTINGS', right: true },
  { title: 'WAITING', right: true },
  { title: 'CPU', right: true },
  { title: 'MEMORY', right: true },
  { title: 'SINCE' },
]

/** Anywhere last; within a region what concerns most first. */
const byRegion = (a: UnmetDemand, b: UnmetDemand) =>
  Number(a.region === null) - Number(b.region === null) ||
  (a.region ?? '').localeCompare(b.region ?? '') ||
  b.hostings - a.hostings

const rowOf = (now: number) => (unmet: UnmetDemand) => [
  unmet.region ?? 'anywhere',
  unmet.reason,
  String(unmet.hostings),
  String(unmet.waiting),
  unmet.amounts['cpu'] ?? '0',
  unmet.amounts['memory'] ?? '0',
  `${duration((now - Date.parse(unmet.since)) / 1000)} ago`,
]
