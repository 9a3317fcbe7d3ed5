/** How the command line ends: the exit codes of docs/cli.md, and the one error that carries them. */

export const exitCode = {
  ok: 0,
  /** It was understood and is not possible: no place, a taken name, a state that forbids it. */
  refused: 1,
  /** The command, a file or a field is wrong. */
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  /** No answer, or an answer that the broker is in trouble. */
  unreachable: 5,
  /** The request stands, its decision is still to come. */
  undecided: 6,
  /** A mistake of ours. */
  bug: 70,
} as const
export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

/** Ends the command with this code; the message and the hints are shown to a person on standard error. */
export class CliError extends Error {
  readonly code: ExitCode
  readonly hints: readonly string[]

  constructor(code: ExitCode, message: string, hints: readonly string[] = []) {
    super(message)
    this.code = code
    this.hints = hints
  }
}

/** A mistake in what was typed or in a file. */
export const usage = (message: string, hints: readonly string[] = []) => new CliError(exitCode.usage, message, hints)
