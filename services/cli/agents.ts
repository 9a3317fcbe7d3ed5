/** `agent enrolments|approve|change-authority`: what people decide about the certificates of agents. */
import type { Command } from 'commander'
import type { Authority, Enrolment } from '../../schemas/index.ts'
import { CliError, exitCode } from './errors.ts'
import { findDatacenter } from './find.ts'
import { fingerprint } from './flags.ts'
import { action, type Shell } from './session.ts'
import { renderTable } from './table.ts'
import { line } from './text.ts'

export function agentCommands(program: Command, shell: Shell): void {
  const agent = program.command('agent').description('agents of datacenters: who may have another certificate')
  enrolmentsCommand(agent, shell)
  approveCommand(agent, shell)
  agent
    .command('change-authority')
    .description('have another authority issue the certificates of agents; the one before stays trusted meanwhile')
    .action(
      action(shell, 'loket', async (session) => {
        const change = session.api().change<Authority>('POST', '/agents/authorities')
        const made = (await session.during('making an authority', change)).body
        await session.show(made, () => authorityText(made))
        return undefined
      }),
    )
}

function enrolmentsCommand(agent: Command, shell: Shell): void {
  agent
    .command('enrolments')
    .description('agents whose certificate has run out and that ask for another')
    .option('--all', 'also those that have had it')
    .action(
      action<{ all?: boolean }>(shell, 'provider', async (session, { all }) => {
        const reading = session.api().list<Enrolment>('/agents/enrolments')
        const asked = await session.during('reading enrolments', reading)
        const shown = all ? asked : asked.filter(({ state }) => state !== 'used')
        await session.show(shown, () =>
          renderTable(
            [{ title: 'DATACENTER' }, { title: 'STATE' }, { title: 'ASKED' }, { title: 'KEY' }, { title: 'ID' }],
            shown.map(({ slug, state, createdAt, key, id }) => [slug, state, createdAt, key, id]),
            session.paint,
          ),
        )
        return undefined
      }),
    )
}

function approveCommand(agent: Command, shell: Shell): void {
  agent
    .command('approve <datacenter>')
    .description('let the agent of a datacenter have another certificate')
    .requiredOption('--key <sha256>', 'the key in the log of the agent, as its provider tells it', fingerprint)
    .action(
      action<{ key: string }>(shell, 'provider', async (session, { key }, [name = '']) => {
        const api = session.api()
        const { id: datacenterId, slug } = await findDatacenter(api, name)
        const all = await api.list<Enrolment>('/agents/enrolments')
        const waiting = all.find((each) => each.datacenterId === datacenterId && each.state === 'waiting')
        if (!waiting)
          throw new CliError(exitCode.refused, line`The agent of ${slug} does not wait for anybody`, [
            line`\`gemeentecloud datacenter show ${slug}\` says how it is.`,
          ])
        if (waiting.key !== key)
          throw new CliError(exitCode.refused, line`The agent that waits at ${slug} has another key: ${waiting.key}`, [
            'Ask its provider which key the log of the agent names. Somebody else may be asking.',
          ])
        const change = api.change<Enrolment>('POST', `/agents/enrolments/${waiting.id}/approvals`)
        const made = (await session.during(line`approving ${slug}`, change)).body
        await session.show(made, () => line`The agent of ${slug} gets its certificate when it next asks, in seconds.\n`)
        return undefined
      }),
    )
}

function authorityText({ id, expiresAt }: Authority): string {
  return line`${id} issues from now on, until ${expiresAt}. Agents have a certificate of it within six hours.\n`
}
