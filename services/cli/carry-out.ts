/** `plan apply|abort`, `datacenter drain` and `datacenter withdraw`: plans carried out, told step by step. */
import type { Command } from 'commander'
import type { Plan } from '../../schemas/index.ts'
import { type ExitCode, exitCode } from './errors.ts'
import { findDatacenter, findPlan } from './find.ts'
import { readPatiently } from './patience.ts'
import { planText } from './plan-view.ts'
import { action, type Session, type Shell } from './session.ts'
import { line } from './text.ts'

const lookMs = 1_000

interface CarryOptions {
  reason: string
  wait: boolean
}

type Progress = NonNullable<Plan['application']>['moves'][number]

export const carryOptions = (command: Command) =>
  command
    .requiredOption('--reason <text>', 'why: it is written down with every move')
    .option('--no-wait', 'do not follow it to its end')

export function carryCommands(plan: Command, shell: Shell): void {
  carryOptions(plan.command('apply <id>').description('carry out a plan that was proposed, in its order')).action(
    action<CarryOptions>(shell, 'loket', async (session, options, [id = '']) => {
      const found = await session.during('reading the plan', findPlan(session.api(), id))
      return applyPlan(session, found.id, options)
    }),
  )
  plan
    .command('abort <id>')
    .description('begin with no further move of a plan; what is under way comes to its end')
    .requiredOption('--reason <text>', 'why')
    .action(
      action<CarryOptions>(shell, 'loket', async (session, { reason }, [id = '']) => {
        const found = await session.during('reading the plan', findPlan(session.api(), id))
        const body = { reason }
        const aborted = (await session.api().change<Plan>('POST', `/plans/${found.id}/aborts`, { body })).body
        await session.show(aborted, () => planText(aborted, session))
        return undefined
      }),
    )
}

export function withdrawCommand(datacenter: Command, shell: Shell): void {
  carryOptions(
    datacenter
      .command('withdraw <name>')
      .description('take a datacenter out: nothing comes to it, all that is there moves away'),
  ).action(
    action<CarryOptions>(shell, 'provider', async (session, options, [name = '']) => {
      const { id } = await findDatacenter(session.api(), name)
      const body = { reason: options.reason }
      const asking = session.api().change<Plan>('POST', `/datacenters/${id}/withdrawals`, { body })
      return toItsEnd(session, (await session.during('planning', asking)).body, options)
    }),
  )
}

export async function applyPlan(session: Session, id: string, options: CarryOptions): Promise<ExitCode> {
  const body = { reason: options.reason }
  const asking = session.api().change<Plan>('POST', `/plans/${id}/applications`, { body })
  return toItsEnd(session, (await session.during('beginning', asking)).body, options)
}

/** A line for each move that begins or ends; 1 when not all of it could be done. */
async function toItsEnd(session: Session, begun: Plan, { wait }: CarryOptions): Promise<ExitCode> {
  const told = new Map<string, string>()
  let plan = begun
  for (;;) {
    for (const move of plan.application?.moves ?? []) {
      if (move.state !== 'waiting' && told.get(move.hostingId) !== move.state) session.remark(moveText(move, plan))
      told.set(move.hostingId, move.state)
    }
    if (!wait || plan.state !== 'running') break
    await session.io.clock.sleep(lookMs)
    plan = await readPatiently<Plan>(session, `/plans/${plan.id}`)
  }
  await session.show(plan, () => `${endText(plan)}\n`)
  const isWhole = plan.unmoved.length === 0 && plan.application?.moves.every(({ state }) => state !== 'failed')
  return isWhole ? exitCode.ok : exitCode.refused
}

function moveText({ hostingId, hosting, state, outcome }: Progress, { moves }: Plan): string {
  const ways = moves
    .filter((move) => move.hostingId === hostingId)
    .map(({ role, from, to }) => `${role} ${from} → ${to}`)
  return line`${hosting}: ${state}, ${ways.join(', ')}${outcome === null ? '' : `: ${outcome}`}`
}

function endText({ id, state, application, unmoved }: Plan): string {
  const moves = application?.moves ?? []
  const count = (what: Progress['state']) => moves.filter((move) => move.state === what).length
  const parts = [`${count('done')} of ${moves.length} hostings have moved`]
  if (count('failed') > 0) parts.push(`${count('failed')} could not`)
  if (unmoved.length > 0) parts.push(`${unmoved.length} have no other place`)
  const show = state === 'running' ? line` \`gemeentecloud plan show ${id}\` tells how far it is.` : ''
  return line`${id} is ${state}: ${parts.join(', ')}.` + show
}
