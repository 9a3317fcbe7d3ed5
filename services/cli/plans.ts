/** `plan drain|evacuate|rebalance|reclaim|list|show` and `datacenter drain`: what would have to move. */
import type { Command } from 'commander'
import type { Plan, PlanGoal } from '../../schemas/index.ts'
import { applyPlan, carryCommands } from './carry-out.ts'
import { CliError, type ExitCode, exitCode, usage } from './errors.ts'
import { findDatacenter, findPlan } from './find.ts'
import { asIs, instant, pairOf, several, wholeNumber } from './flags.ts'
import { planText } from './plan-view.ts'
import { action, type Session, type Shell } from './session.ts'
import { renderTable } from './table.ts'

interface PlanOptions {
  maxMoves?: number
}

interface ReclaimOptions extends PlanOptions {
  offer: string
  at: string
  amount?: [string, string][]
}

const movesHelp = 'seats that move, at most'

export function planCommands(program: Command, shell: Shell): void {
  const plan = program
    .command('plan')
    .description('what would have to move, and in which order; `apply` carries it out')
  plan
    .command('drain <datacenter>')
    .description('to leave nothing at a datacenter')
    .option('--max-moves <count>', movesHelp, wholeNumber)
    .action(action<PlanOptions>(shell, 'loket', (session, options, [name = '']) => drain(session, name, options)))
  plan
    .command('evacuate <datacenters...>')
    .description('to leave nothing at several datacenters at once')
    .option('--max-moves <count>', movesHelp, wholeNumber)
    .action(
      action<PlanOptions>(shell, 'loket', async (session, options, [names]) => {
        const ids = await idsOf(session, names as unknown as string[])
        return propose(session, { kind: 'evacuate', datacenterIds: ids }, options)
      }),
    )
  plan
    .command('rebalance')
    .description('to bring the fullest datacenters nearer to the average')
    .option('--max-moves <count>', `${movesHelp}; 20 when absent`, wholeNumber)
    .action(action<PlanOptions>(shell, 'loket', (session, options) => propose(session, { kind: 'rebalance' }, options)))
  plan
    .command('reclaim <datacenter>')
    .description('to give back capacity that was offered: which hostings must go, and where to')
    .requiredOption('--offer <id>', 'the offer that is called back')
    .requiredOption('--at <instant>', 'from when, RFC 3339 or a date', instant)
    .option('--amount <resource=quantity>', 'how much of it; all when absent; may be repeated', several(pairOf(asIs)))
    .option('--max-moves <count>', movesHelp, wholeNumber)
    .action(
      action<ReclaimOptions>(shell, 'loket', async (session, { offer, at, amount, maxMoves }, [name = '']) => {
        const datacenterIds = await idsOf(session, [name])
        const amounts = amount && Object.fromEntries(amount)
        const goal: PlanGoal = { kind: 'reclaim', datacenterIds, offerId: offer, at, ...(amounts && { amounts }) }
        return propose(session, goal, { ...(maxMoves !== undefined && { maxMoves }) })
      }),
    )
  readCommands(plan, shell)
  carryCommands(plan, shell)
}

function readCommands(plan: Command, shell: Shell): void {
  plan
    .command('list')
    .description('plans that were proposed')
    .action(
      action(shell, 'loket', async (session) => {
        const plans = await session.during('reading plans', session.api().list<Plan>('/plans', {}))
        await session.show(plans, () =>
          renderTable(
            [{ title: 'PLAN' }, { title: 'STATE' }, { title: 'MADE' }, { title: 'WHAT' }],
            plans.map(({ id, state, createdAt, summary }) => [id, state, createdAt, summary]),
            session.paint,
          ),
        )
        return undefined
      }),
    )
  plan
    .command('show <id>')
    .description('one plan')
    .action(
      action(shell, 'loket', async (session, _options, [id = '']) => {
        const found = await session.during('reading the plan', findPlan(session.api(), id))
        await session.show(found, () => planText(found, session))
        return undefined
      }),
    )
}

/** `datacenter drain`: the plan, and without `--dry-run` the moves as well. */
export function drainCommand(datacenter: Command, shell: Shell): void {
  datacenter
    .command('drain <name>')
    .description('move all that is at a datacenter elsewhere, and follow it')
    .option('--dry-run', 'only the plan; nothing moves')
    .option('--reason <text>', 'why: it is written down with every move; required unless --dry-run')
    .option('--no-wait', 'do not follow it to its end')
    .option('--max-moves <count>', movesHelp, wholeNumber)
    .action(
      action<DrainOptions>(shell, 'provider', async (session, { dryRun, reason, wait, ...options }, [name = '']) => {
        if (dryRun) return drain(session, name, options)
        if (reason === undefined) throw usage('give --reason, or --dry-run for the plan only')
        const { id } = await make(session, { kind: 'drain', datacenterIds: await idsOf(session, [name]) }, options)
        return applyPlan(session, id, { reason, wait })
      }),
    )
}

interface DrainOptions extends PlanOptions {
  dryRun?: boolean
  reason?: string
  wait: boolean
}

async function drain(session: Session, name: string, options: PlanOptions): Promise<ExitCode | undefined> {
  return propose(session, { kind: 'drain', datacenterIds: await idsOf(session, [name]) }, options)
}

async function idsOf(session: Session, names: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const name of names) ids.push((await findDatacenter(session.api(), name)).id)
  return ids
}

async function make(session: Session, goal: PlanGoal, { maxMoves }: PlanOptions): Promise<Plan> {
  const body = { goal, ...(maxMoves !== undefined && { maxMoves }) }
  const planning = session.api().change<Plan>('POST', '/plans', { body }).catch(refuseStranger)
  return (await session.during('planning', planning)).body
}

async function propose(session: Session, goal: PlanGoal, options: PlanOptions): Promise<ExitCode | undefined> {
  const made = await make(session, goal, options)
  await session.show(made, () => planText(made, session))
  return made.unmoved.length > 0 ? exitCode.refused : undefined
}

/** A provider plans for its own datacenters, the desk for all. */
function refuseStranger(error: unknown): never {
  if (!(error instanceof CliError) || error.code !== exitCode.notAllowed) throw error
  const hint =
    'A provider plans for its own datacenters only. Give a token of the desk; on the machine of the broker: --as loket.'
  throw new CliError(error.code, error.message, [hint])
}
