#!/usr/bin/env node
/** The command line as a process: hands the real terminal, clock and environment to `runCli`. */
import '../shared/require-node.ts'
import process from 'node:process'
import { systemClock } from '../shared/clock.ts'
import { systemRandom } from '../shared/random.ts'
import { readAll } from './files.ts'
import { whenReaderGone } from './reader.ts'
import { runCli } from './run.ts'

// `gemeentecloud … | head` closes our output early; that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  stdin: (limitBytes) => readAll(process.stdin, limitBytes),
  endWithReader: () => whenReaderGone(() => process.exit(0)),
  outIsTerminal: process.stdout.isTTY === true,
  errIsTerminal: process.stderr.isTTY === true,
  env: process.env,
  clock: systemClock,
  random: systemRandom,
})
