/** How the command line speaks of fields and of names that are not there. */
import t from 'tap'
import { fieldName } from '../../../services/cli/field-names.ts'
import { didYouMean, nearest } from '../../../services/cli/nearest.ts'
import { program } from '../../../services/cli/run.ts'
import { fakeIo } from './fake-io.ts'

t.test('a field is named as people write it, with the option that sets it', async (t) => {
  for (const [pointer, name] of [
    ['/components/0/requests/cpu', 'components[0].requests.cpu'],
    ['/slug', 'slug (--slug)'],
    ['/constraints/regions/0', 'constraints.regions[0] (--region)'],
    ['/security/classes/availability', 'security.classes.availability (--classes)'],
    ['/amounts/cpu', 'amounts.cpu (--cpu)'],
    ['/amounts/storage~1standaard', 'amounts["storage/standaard"] (--resource)'],
    ['/a~1b~0c/x', '["a/b~c"].x'],
    ['/query/type', 'type (--type)'],
    ['/headers/if-match', 'if-match'],
    ['', 'the whole'],
  ])
    t.equal(fieldName(pointer as string), name)
})

t.test('no option is named that there is not', async (t) => {
  const leaves = (command: ReturnType<typeof program>): string[] => [
    ...command.options.map(({ long }) => long ?? ''),
    ...command.commands.flatMap(leaves),
  ]
  const known = leaves(program({ io: fakeIo().io, code: 0 }))
  const pointers = [
    '/slug',
    '/classes',
    '/pue',
    '/amounts/gpu',
    '/period/end',
    '/fallback/differ',
    '/priority',
    '/query/cursor',
  ]
  for (const pointer of pointers) {
    const option = /\((--.*)\)/.exec(fieldName(pointer))?.[1] ?? ''
    t.ok(known.includes(option), `${pointer} ${option}`)
  }
})

t.test('a slip of the pen finds what was meant, and what is far from all finds nothing', async (t) => {
  const known = ['friesland', 'groningen', 'noord-brabant', 'noord-holland', 'amersfoort']
  t.same(nearest('Friesland', known), ['friesland'])
  t.same(nearest('amersfort', known), ['amersfoort'])
  t.same(nearest('gorningen', known), ['groningen'])
  t.same(nearest('noord', known), ['noord-brabant', 'noord-holland'], 'a part of a name is near')
  t.same(nearest('zuid-limburg', known), [])
  t.equal(didYouMean('noord', known), 'Did you mean noord-brabant or noord-holland?')
  t.equal(didYouMean('xyz', known), undefined)
})
