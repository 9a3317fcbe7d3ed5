/** A problem of the API (RFC 9457) as an error of the command line: what went wrong, where, what to do, which exit code. */
import type { ProblemBody } from '../../schemas/index.ts'
import { CliError, type ExitCode, exitCode } from './errors.ts'
import { fieldName } from './field-names.ts'
import { line } from './text.ts'

/** What to do on a command line, instead of what the API says, or beside the fields. */
const hints: Record<string, readonly string[]> = {
  unauthenticated: ['Give a valid token with --token or GEMEENTECLOUD_TOKEN.'],
  forbidden: ['Give a token of that role; on the machine of the broker --as chooses one.'],
  'kubeconfig-refused': ['`kubectl config view --raw --minify --flatten` prints one without references to files.'],
}

/** `body` is what came with the status; fields that are missing are left out of the message. */
export function problemError(status: number, body: unknown): CliError {
  const { title, detail, action, errors, type } = (body ?? {}) as Partial<ProblemBody>
  // Where the detail is nothing but the fields, it would say them twice.
  const repeats = errors?.length && errors.every(({ message }) => detail?.includes(message))
  const message = [title ?? `answered ${status}`, ...(detail && !repeats ? [detail] : [])].join(': ')
  const hint = hints[type?.split('/').at(-1) ?? '']
  return new CliError(codeFor(status), line`${message}`, [
    ...(errors ?? []).map(({ pointer, message }) => line`  ${fieldName(pointer)} ${message}`),
    // With the fields just shown, "see `errors`" says nothing more.
    ...(hint ?? (action && !errors ? [line`${action}`] : [])),
  ])
}

function codeFor(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCode.notAllowed
  if (status === 404) return exitCode.notFound
  if (status === 409 || status === 412) return exitCode.refused
  if (status === 408 || status === 429 || status >= 500 || status < 400) return exitCode.unreachable
  return exitCode.usage
}
