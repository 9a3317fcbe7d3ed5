/** Whether anybody still reads our output: who follows may have nothing to write for hours, and `| head` is long gone. */
import { spawn } from 'node:child_process'
import { fstatSync } from 'node:fs'

/**
 * Calls `gone` when the pipe that is our standard output has no reader any more. Without a write only poll(2) tells; Node.js
 * does not offer it, GNU tail asks it and ends by SIGPIPE. Where there is another tail or none, the next write tells.
 */
export function whenReaderGone(gone: () => void): void {
  if (!fstatSync(process.stdout.fd).isFIFO()) return
  const command = ['-f', `--pid=${process.pid}`, '/dev/null']
  const watch = spawn('tail', command, { stdio: ['ignore', 'inherit', 'ignore'] })
  watch.on('error', () => undefined)
  watch.on('exit', (_code, signal) => signal === 'SIGPIPE' && gone())
  watch.unref()
  process.once('exit', () => watch.kill())
}
