/** The world as the command line sees it, handed in so that tests can own it. */
import type { Clock } from '../shared/clock.ts'
import type { Random } from '../shared/random.ts'

export interface Io {
  /** Results: what a pipe should get. */
  out(text: string): void
  /** Everything else: progress, remarks, errors. */
  err(text: string): void
  /** All of standard input; throws `CliError` when it is more than `limitBytes`. */
  stdin(limitBytes: number): Promise<string>
  /** From here on the process ends when nobody reads the results any more: for what may be silent for long. */
  endWithReader(): void
  readonly outIsTerminal: boolean
  readonly errIsTerminal: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
}
