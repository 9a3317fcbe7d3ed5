/** What a command works with: the API as the right role, the form of output, and the way to say things. */
import type { Command } from 'commander'
import type { Role } from '../../schemas/index.ts'
import type { Language } from '../placement/index.ts'
import { type AccessFlags, findAccess } from './access.ts'
import { type Api, createApi } from './api.ts'
import type { ExitCode } from './errors.ts'
import type { Io } from './io.ts'
import { type Output, show } from './output.ts'
import { type Doing, withProgress } from './progress.ts'
import { type Paint, paintFor } from './text.ts'

/** One run of the program. */
export interface Shell {
  readonly io: Io
  code: ExitCode
}

export interface SharedOptions extends AccessFlags {
  readonly output: Output
  readonly idempotencyKey?: string
  readonly language?: Language
}

export interface Session {
  readonly io: Io
  readonly output: Output
  readonly paint: Paint
  /** Of explanations, and of the figures beside them. */
  readonly language: Language
  /** Found at first use, so that what needs no broker works without. */
  api(): Api
  /** Shows a result as asked for with `--output`. */
  show(value: unknown, table: () => string): Promise<void>
  /** A line for people beside the result; it never mixes with it. */
  remark(text: string): void
  /** Shows that something is going on when it takes long. */
  during<T>(what: Doing, work: Promise<T>): Promise<T>
}

type Handler<O> = (
  session: Session,
  options: O & SharedOptions,
  args: readonly string[],
) => Promise<ExitCode | undefined>

/** An action for commander. `role` is whose token is taken from a local broker when `--as` does not say. */
export function action<O>(shell: Shell, role: Role, handler: Handler<O>): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command
    const options = command.optsWithGlobals<O & SharedOptions>()
    const { io } = shell
    const language = languageOf(io, options)
    let api: Api | undefined
    const session: Session = {
      io,
      output: options.output,
      paint: paintFor(io),
      language,
      api: () => {
        api ??= createApi(io, findAccess(io, options, role), language, options.idempotencyKey)
        return api
      },
      show: (value, table) => show(io, options.output, value, table),
      remark: (text) => io.err(`${text}\n`),
      during: (what, work) => withProgress(io, what, work),
    }
    shell.code = (await handler(session, options, command.processedArgs as string[])) ?? shell.code
  }
}

/** Of what the broker explains: as asked, else that of the terminal (POSIX: the first of these that is set counts). */
function languageOf({ env }: Io, { language }: SharedOptions): Language {
  const locale = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || ''
  return language ?? (/^nl([._@-]|$)/i.test(locale) ? 'nl' : 'en')
}
