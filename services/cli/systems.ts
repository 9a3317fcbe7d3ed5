/** `system list` and `system register`. */
import type { Command } from 'commander'
import type { System, SystemInput } from '../../schemas/index.ts'
import { readObject } from './files.ts'
import { asIs, classes, several } from './flags.ts'
import { action, type Shell } from './session.ts'
import { renderTable } from './table.ts'
import { line } from './text.ts'

interface RegisterOptions {
  file?: string
  slug?: string
  name?: string
  classes?: SystemInput['classes']
  criticality?: string
  contact?: string[]
}

export function systemCommands(program: Command, shell: Shell): void {
  const system = program.command('system').description('software that is hosted: its owner, its security classes')
  system
    .command('list')
    .description('list the systems you may see')
    .action(
      action(shell, 'consumer', async (session) => {
        const systems = await session.during('reading systems', session.api().list<System>('/systems'))
        await session.show(systems, () =>
          renderTable(
            [{ title: 'SLUG' }, { title: 'NAME' }, { title: 'BIV' }, { title: 'CRITICALITY' }, { title: 'ID' }],
            systems.map(({ slug, name, classes, criticality = 'normal', id }) => [
              slug,
              name,
              biv(classes),
              criticality,
              id,
            ]),
            session.paint,
          ),
        )
        return undefined
      }),
    )
  system
    .command('register')
    .description('register a system, from a file, from options, or both (options win)')
    .option('-f, --file <file>', 'YAML or JSON with the fields of the API; - is standard input')
    .option('--slug <slug>', 'short name, a DNS label')
    .option('--name <name>', 'name for people')
    .option('--classes <b,i,v>', 'availability, integrity, confidentiality, each 1 to 3', classes)
    .option('--criticality <level>', 'low, normal or high')
    .option('--contact <email>', 'whom to reach; may be repeated', several(asIs))
    .action(
      action<RegisterOptions>(
        shell,
        'consumer',
        async (session, { file, slug, name, classes, criticality, contact }) => {
          const body = {
            ...(file && (await readObject(session.io, file))),
            ...(slug && { slug }),
            ...(name && { name }),
            ...(classes && { classes }),
            ...(criticality && { criticality }),
            ...(contact && { contacts: contact }),
          }
          const made = await session.api().change<System>('POST', '/systems', { body })
          await session.show(made.body, () => line`System ${made.body.slug} is registered (${made.body.id}).\n`)
          return undefined
        },
      ),
    )
}

const biv = ({ availability, integrity, confidentiality }: SystemInput['classes']) =>
  [availability, integrity, confidentiality].join('/')
