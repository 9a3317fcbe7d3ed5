/** `failover …`: where hostings go, whose word it takes, and what people say of datacenters that are lost. */
import type { Command } from 'commander'
import type { Attestations, BrakeRelease, Doubt, Drain, FailoverInput, Operation } from '../../schemas/index.ts'
import { type ExitCode, exitCode } from './errors.ts'
import { findDatacenter, findHosting } from './find.ts'
import { confirmText, followOperation } from './follow-operation.ts'
import { operationText, operationTones } from './operation-view.ts'
import { action, type Session, type Shell } from './session.ts'
import { renderTable } from './table.ts'
import { line } from './text.ts'

interface Reason {
  reason: string
}

interface Word {
  kind: string
  statement: string
  follow?: true
}

const reasonHelp = 'why, for who reads it later'
const followHelp = 'go on to its end, and show each step as it is taken (-o json: one operation per line)'

export function failoverCommands(program: Command, shell: Shell): void {
  const failover = program.command('failover').description('bring a hosting to where it falls back to, and back')
  planCommand(failover, shell, 'plan', 'prepare that a hosting goes to its standby; it waits for a confirmation')
  planCommand(failover, shell, 'back', 'the same, to bring it back to where it came from', 'failback')
  decisionCommands(failover, shell)
  readCommands(failover, shell)
  deskCommands(failover, shell)
  doubtCommands(failover, shell)
}

function planCommand(
  failover: Command,
  shell: Shell,
  name: string,
  what: string,
  kind: FailoverInput['kind'] = 'failover',
): void {
  failover
    .command(`${name} <hosting>`)
    .description(what)
    .requiredOption('--reason <text>', reasonHelp)
    .action(
      action<Reason>(shell, 'consumer', async (session, { reason }, [hosting = '']) => {
        const { id } = await findHosting(session.api(), hosting)
        const made = await change<Operation>(session, 'planning', `/hostings/${id}/failovers`, { kind, reason })
        await session.show(made, () => operationText(made, session.paint))
        session.remark(`Next, by the desk: ${confirmText(made)}`)
        return undefined
      }),
    )
}

function decisionCommands(failover: Command, shell: Shell): void {
  failover
    .command('confirm <operation>')
    .description('say that it may begin, and how that is known')
    .requiredOption(
      '--kind <kind>',
      'agreed, fenced (cut off by other means), attested (known to be down) or fence (have its fence cut it off)',
    )
    .requiredOption('--statement <text>', 'how that is known')
    .option('--follow', followHelp)
    .action(
      action<Word>(shell, 'loket', async (session, { kind, statement, follow }, [id = '']) => {
        const word = { kind, statement }
        const now = await change<Operation>(session, 'confirming', `/operations/${id}/confirmations`, word)
        if (follow) return followOperation(session, now)
        await session.show(now, () => operationText(now, session.paint))
        if (now.state !== 'awaiting-confirmation')
          session.remark(line`Next: gemeentecloud failover show ${now.id} --follow`)
        return now.state === 'awaiting-confirmation' || now.state === 'fencing' ? exitCode.undecided : undefined
      }),
    )
  failover
    .command('abort <operation>')
    .description('call it off before it has begun, or leave it at that when it needs a person')
    .requiredOption('--reason <text>', reasonHelp)
    .action(
      action<Reason>(shell, 'consumer', async (session, { reason }, [id = '']) => {
        const now = await change<Operation>(session, 'calling it off', `/operations/${id}/aborts`, { reason })
        await session.show(now, () => operationText(now, session.paint))
        return undefined
      }),
    )
}

function readCommands(failover: Command, shell: Shell): void {
  failover
    .command('list')
    .description('failovers, failbacks, drains and moves')
    .option('--hosting <name>', 'only of this hosting')
    .option('--state <state>', 'only in this state, such as awaiting-confirmation')
    .action(
      action<{ hosting?: string; state?: string }>(shell, 'loket', async (session, { hosting, state }) => {
        const filter = { hosting, state }
        const found = await session.during('reading', session.api().list<Operation>('/operations', filter))
        await session.show(found, () =>
          renderTable(
            [{ title: 'OPERATION' }, { title: 'HOSTING' }, { title: 'KIND' }, { title: 'STATE' }, { title: 'STEP' }],
            found.map(({ id, hosting, kind, state, steps }) => [
              id,
              hosting,
              kind,
              { text: state, tone: operationTones[state] },
              steps.at(-1)?.name ?? '',
            ]),
            session.paint,
          ),
        )
        return undefined
      }),
    )
  failover
    .command('show <operation>')
    .description('one of them: its plan, who confirmed it, each step')
    .option('--follow', followHelp)
    .action(
      action<{ follow?: true }>(shell, 'loket', async (session, { follow }, [id = '']) => {
        const found = await session.during('reading', session.api().get<Operation>(`/operations/${id}`))
        if (follow) return followOperation(session, found)
        await session.show(found, () => operationText(found, session.paint))
        return undefined
      }),
    )
}

function deskCommands(failover: Command, shell: Shell): void {
  failover
    .command('drain <datacenter>')
    .description('have all that runs at a datacenter go to where it falls back to, the most urgent first')
    .requiredOption('--reason <text>', reasonHelp)
    .action(
      action<Reason>(shell, 'provider', async (session, { reason }, [name = '']): Promise<ExitCode | undefined> => {
        const { id, slug } = await findDatacenter(session.api(), name)
        const drain = await change<Drain>(session, 'beginning', `/datacenters/${id}/drains`, { reason })
        await session.show(drain, () => {
          const left = drain.left.map(({ hosting, why }) => line`  ${hosting} stays: ${why}`)
          const leaving = drain.operations.length
          const what = leaving === 1 ? '1 hosting leaves' : `${leaving} hostings leave`
          return `${[line`${what} ${slug}`, ...left].join('\n')}\n`
        })
        return drain.left.length > 0 ? exitCode.refused : undefined
      }),
    )
  failover
    .command('release-brake <datacenters...>')
    .description('say that these are really lost, when so many are that automatic failover holds back')
    .requiredOption('--statement <text>', 'how that is known')
    .action(
      action<{ statement: string }>(shell, 'loket', async (session, { statement }, [names]) => {
        const slugs = new Map<string, string>()
        for (const name of names as unknown as string[]) {
          const { id, slug } = await findDatacenter(session.api(), name)
          slugs.set(id, slug)
        }
        const body = { datacenterIds: [...slugs.keys()], statement }
        const now = await change<BrakeRelease>(session, 'releasing', '/brake-releases', body)
        const lost = now.datacenterIds.map((id) => slugs.get(id) ?? id)
        await session.show(now, () => `${line`Taken for lost: ${lost.join(', ')}`}\n`)
        return undefined
      }),
    )
}

function doubtCommands(failover: Command, shell: Shell): void {
  failover
    .command('doubt')
    .description('after a restored store: which datacenters it waits for, before anything fails over')
    .action(
      action(shell, 'loket', async (session) => {
        const doubt = await session.during('reading', session.api().get<Doubt>('/doubts'))
        await session.show(doubt, () => {
          if (doubt.hostings === 0) return 'The store is not in doubt\nNothing waits for what a datacenter has to say\n'
          const what = doubt.hostings === 1 ? '1 hosting' : `${doubt.hostings} hostings`
          const whom = doubt.awaited.map((each) => `  ${attestedText(each)}`)
          return `${[`In doubt of ${what}, until these have said what they run:`, ...whom].join('\n')}\n`
        })
        return doubt.hostings === 0 ? undefined : exitCode.undecided
      }),
    )
  failover
    .command('attest-off <datacenter>')
    .description('say that a datacenter which a restored store waits for is off and stays so; two people have to')
    .requiredOption('--statement <text>', 'how that is known')
    .action(
      action<{ statement: string }>(shell, 'loket', async (session, { statement }, [name = '']) => {
        const { id } = await findDatacenter(session.api(), name)
        const now = await change<Attestations>(session, 'saying', `/datacenters/${id}/attestations`, { statement })
        await session.show(now, () => `${attestedText(now)}\n`)
        return now.attestations.length < now.needed ? exitCode.undecided : undefined
      }),
    )
}

const attestedText = ({ datacenter, attestations, needed }: Attestations): string =>
  line`${datacenter}: ${String(attestations.length)} of ${String(needed)} say that it is off`

async function change<T>(session: Session, what: string, path: string, body: object): Promise<T> {
  return (await session.during(what, session.api().change<T>('POST', path, { body }))).body
}
