/** The command line: its commands, the options they share, and how each of them ends. */
import { Command, CommanderError, Option } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { roles } from './access.ts'
import { agentCommands } from './agents.ts'
import { changeCommands } from './changes.ts'
import { clusterAccessCommands } from './cluster-access.ts'
import { datacenterCommands } from './datacenters.ts'
import { drillCommands } from './drills.ts'
import { CliError, type ExitCode, exitCode } from './errors.ts'
import { eventCommands } from './events.ts'
import { failoverCommands } from './failovers.ts'
import { hostingCommands } from './hostings.ts'
import type { Io } from './io.ts'
import { outputs } from './output.ts'
import { planCommands } from './plans.ts'
import type { Shell } from './session.ts'
import { simulateCommands } from './simulate/command.ts'
import { systemCommands } from './systems.ts'
import { printable } from './text.ts'
import { unmetCommands } from './unmet.ts'

const codesHelp = `
Exit codes: 0 done, 1 refused or not possible, 2 wrong command or input, 3 not found, 4 not allowed,
5 no answer from the broker, 6 asked but not decided yet, 70 a mistake of ours.`

/** Runs one command line (without the program's name) and returns its exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  const shell: Shell = { io, code: exitCode.ok }
  try {
    await program(shell).parseAsync(argv, { from: 'user' })
    return shell.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
    if (error instanceof CliError) {
      io.err(printableLines(`gemeentecloud: ${error.message}\n${error.hints.map((hint) => `${hint}\n`).join('')}`))
      return error.code
    }
    const detail = error instanceof Error ? error.stack : String(error)
    io.err(printableLines(`gemeentecloud: a mistake of ours, please report it: ${detail}\n`))
    return exitCode.bug
  }
}

/** All commands with their options; `shell` gets the output and the exit code of the one that runs. */
export function program(shell: Shell): Command {
  const program = new Command('gemeentecloud')
    .description('The national desk for municipal datacenter capacity')
    .version(manifest.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.io.out(text),
      writeErr: (text) => shell.io.err(printableLines(text)),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows what there is)')
    .addOption(new Option('-o, --output <form>', 'form of the result').choices(outputs).default('table'))
    .option('--url <address>', 'address of the API (or GEMEENTECLOUD_URL)')
    .option('--token <token>', 'token; better in GEMEENTECLOUD_TOKEN, where no list of processes shows it')
    .addOption(new Option('--as <role>', 'whose token to take from the broker on this machine').choices(roles))
    .addOption(
      new Option('--language <language>', 'of explanations; as the terminal when absent').choices(['en', 'nl']),
    )
    .option('--idempotency-key <key>', 'repeat a change whose outcome is not known: it is made at most once')
    .addHelpText('after', codesHelp)
  datacenterCommands(program, shell)
  agentCommands(program, shell)
  systemCommands(program, shell)
  changeCommands(hostingCommands(program, shell), shell)
  failoverCommands(program, shell)
  drillCommands(program, shell)
  planCommands(program, shell)
  unmetCommands(program, shell)
  eventCommands(program, shell)
  clusterAccessCommands(program, shell)
  simulateCommands(program, shell)
  return program
}

const printableLines = (text: string) => text.split('\n').map(printable).join('\n')
