/** docs/cli.md against the program: every command, option and exit code that there is and no other; examples are understood. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import t from 'tap'
import { exitCode } from '../../../services/cli/errors.ts'
import { program } from '../../../services/cli/run.ts'
import { cli, fakeIo } from './fake-io.ts'

const text = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
const manifests = readFileSync(new URL('../../../docs/examples/meldingen.yaml', import.meta.url), 'utf8')
const gemeentecloud = program({ io: fakeIo().io, code: exitCode.ok })

/** The part under a heading, up to the next. */
function under(heading: string): string {
  const part = text.split(/^#{2,3} /m).find((each) => each.startsWith(`${heading}\n`))
  if (part === undefined) throw new Error(`docs/cli.md has no "${heading}"`)
  return part
}
const optionsIn = (part: string) => [...part.matchAll(/^\| `(-[^`]+)` \|/gm)].map(([, flags]) => flags)
const optionsOf = (command: Command) => command.options.map(({ flags }) => flags)

/** Commands that do something, with all the words that call them. */
function leaves(command: Command, words: readonly string[]): [string, Command][] {
  if (command.commands.length > 0) return command.commands.flatMap((each) => leaves(each, [...words, each.name()]))
  const wanted = command.registeredArguments.map((argument) => `<${argument.name()}>`)
  return [[['gemeentecloud', ...words, ...wanted].join(' '), command]]
}
const commands = leaves(gemeentecloud, [])

t.test('every command has its chapter, and every chapter its command', async (t) => {
  const described = [...text.matchAll(/^### `(.*)`$/gm)].map(([, name]) => name)
  t.same(
    described,
    commands.map(([name]) => name),
  )
  t.ok(described.length > 10)
})

t.test('every option of each, and no other', async (t) => {
  t.same(optionsIn(under('Options of every command')).sort(), [...optionsOf(gemeentecloud), '-h, --help'].sort())
  const shared = optionsIn(under('What to host'))
  for (const [name, command] of commands) {
    const part = under(`\`${name}\``)
    const options = [...(part.includes('](#what-to-host)') ? shared : []), ...optionsIn(part)]
    t.same(options, optionsOf(command), name)
  }
})

t.test('what an option takes, and what it is when it is absent', async (t) => {
  const rows = new Map(
    [...text.matchAll(/^\| `(-[^`]+)` \| (.*) \|$/gm)].map(([, flags = '', says = '']) => [flags, says]),
  )
  for (const [name, command] of [['gemeentecloud', gemeentecloud] as const, ...commands])
    for (const { flags, argChoices = [], defaultValue } of command.options) {
      const says = rows.get(flags) ?? ''
      for (const choice of argChoices) t.ok(says.includes(`\`${choice}\``), `${name} ${flags}: ${choice}`)
      if (typeof defaultValue !== 'string' && typeof defaultValue !== 'number') continue
      t.match(
        says,
        new RegExp(`\`?${defaultValue}\`? \\(?(when absent|for people, the default)`),
        `${name} ${flags}: ${defaultValue}`,
      )
    }
})

t.test('every exit code', async (t) => {
  const described = [...under('Exit codes').matchAll(/^\| (\d+) \| .+ \|$/gm)].map(([, code]) => Number(code))
  t.same(described, Object.values(exitCode))
  t.match(
    (await cli(['--help'])).out,
    new RegExp(described.map((code) => `${code} [^,]+`).join(',\\s')),
    '--help names the same',
  )
})

t.test('every command has an example, and the examples are understood', async (t) => {
  for (const [name] of commands) {
    const examples = examplesIn(under(`\`${name}\``))
    t.ok(examples.length > 0, name)
    for (const argv of examples) {
      const { code, err } = await cli(argv, { stdin: manifests })
      // Everything was read and found good when the only thing that is missing is a broker, or none is needed.
      const alone = (argv.includes('--dry-run') && argv[0] !== 'datacenter') || argv[0] === 'simulate'
      // An instance of ROADEF is the reader's own: that it is not here is all that is said of it.
      const elsewhere = argv.includes('--roadef') ? exitCode.usage : 0
      const expected = alone ? elsewhere : exitCode.unreachable
      t.equal(code, expected, `${argv.join(' ')}: ${err}`)
      const words = name
        .split(' ')
        .slice(1)
        .filter((word) => !word.startsWith('<'))
      t.same(argv.slice(0, words.length), words, 'of this command')
    }
  }
})

/** The words behind `npx gemeentecloud`, also where that stands behind a pipe. */
function examplesIn(part: string): string[][] {
  const blocks = [...part.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, content = '']) =>
    content.replaceAll('\\\n', ' '),
  )
  return blocks
    .flatMap((block) => block.trim().split('\n'))
    .map((line) => /npx gemeentecloud (.*)$/.exec(line)?.[1] ?? '')
    .map((words) => [...words.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? ''))
}
