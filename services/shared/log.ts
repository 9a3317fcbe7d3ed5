/** Logs: JSON lines by pino, never a secret. */
import pino from 'pino'

export type Logger = pino.Logger

const secrets = ['token', 'kubeconfig', 'authorization', 'password', 'sealed', 'key']

/** A logger that writes to standard error, so that standard output stays for people and pipes. */
export function createLogger(level: string): Logger {
  return pino(
    { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime, redact: secrets.flatMap((s) => [s, `*.${s}`]) },
    pino.destination({ fd: 2, sync: false }),
  )
}
