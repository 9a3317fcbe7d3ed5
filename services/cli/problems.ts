/** A problem of the API (RFC 9457) as an error of the command line: what went wrong, where, what to do, which exit code. */
import type { ProblemBody } from '../../schemas/index.ts'
import { CliError, type ExitCode, exitCode } from './errors.ts'
import { line } from './text.ts'

const hints: Record<string, readonly string[]> = {
  'kubeconfig-refused': ['`kubectl config view --raw --minify --flatten` prints one without references to files.'],
}

/** `body` is what came with the status; fields that are missing are left out of the message. */
export function problemError(status: number, body: unknown): CliError {
  const { title, detail, action, errors, type } = (body ?? {}) as Partial<ProblemBody>
  // Where the detail is nothing but the fields, it would say them twice.
  const repeats = errors?.length && errors.every(({ message }) => detail?.includes(message))
  const message = [title ?? `answered ${status}`, ...(detail && !repeats ? [detail] : [])].join(': ')
  return new CliError(codeFor(status), line`${message}`, [
    ...(errors ?? []).map(({ pointer, message }) => line`  ${pointer} ${message}`),
    // With the fields just shown, "see `errors`" says nothing more.
    ...(action && !errors ? [line`${action}`] : []),
    ...(hints[type?.split('/').at(-1) ?? ''] ?? []),
  ])
}

function codeFor(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCode.notAllowed
  if (status === 404) return exitCode.notFound
  if (status === 409 || status === 412) return exitCode.refused
  if (status === 429 || status >= 500 || status < 400) return exitCode.unreachable
  return exitCode.usage
}
