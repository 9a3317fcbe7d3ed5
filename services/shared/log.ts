/** Logs: JSON lines by pino, never a secret. */
import { existsSync, renameSync } from 'node:fs'
import pino from 'pino'

export type Logger = pino.Logger

const secrets = ['token', 'kubeconfig', 'authorization', 'password', 'sealed', 'key']

const form = (level: string): pino.LoggerOptions => ({
  level,
  base: undefined,
  timestamp: pino.stdTimeFunctions.isoTime,
  redact: secrets.flatMap((s) => [s, `*.${s}`]),
})

/** A logger that writes to standard error, so that standard output stays for people and pipes. */
export function createLogger(level: string): Logger {
  return pino(form(level), pino.destination({ fd: 2, sync: false }))
}

/**
 * A logger into a file, for a program that a person looks at: errors alone are told, in a sentence. The file begins anew, and the
 * one before is kept beside it.
 */
export function createFileLogger(level: pino.Level, path: string, tell: (sentence: string) => void): Logger {
  if (existsSync(path)) renameSync(path, `${path}.before`)
  const file = pino.destination({ dest: path, sync: true, mode: 0o600 })
  // A disk that is full costs lines of the log, and not the program.
  file.on('error', () => undefined)
  const told = { write: (line: string) => tell(sentenceOf(line)) }
  return pino(
    form(level),
    pino.multistream([
      { level, stream: file },
      { level: 'error', stream: told },
    ]),
  )
}

function sentenceOf(line: string): string {
  const { msg, err } = JSON.parse(line) as { msg: string; err?: { message?: string } }
  return err?.message === undefined ? msg : `${msg}: ${err.message}`
}
