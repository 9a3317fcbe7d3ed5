/** The command line in this process: its terminal, input and environment made up, its clock real or hurried. */
import { usage } from '../../../services/cli/errors.ts'
import type { Io } from '../../../services/cli/io.ts'
import { runCli } from '../../../services/cli/run.ts'
import { type Clock, systemClock } from '../../../services/shared/clock.ts'
import { seededRandom } from '../../../services/shared/random.ts'

export interface World {
  readonly env?: Record<string, string>
  readonly stdin?: string
  readonly terminal?: boolean
  readonly clock?: Clock
  /** Called with each piece of output as it comes. */
  readonly onOut?: (text: string) => void
}

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** An environment in which no broker of this machine is found. */
export const nowhere = { GEMEENTECLOUD_DATA: '/nonexistent' }

/** Each command line draws from a seed of its own: two that share their Idempotency-Keys are one intention to the API. */
let seed = 0

/** The output so far stands in `out` and `err`. */
export function fakeIo({ env = nowhere, stdin = '', terminal = false, clock = systemClock, onOut }: World = {}) {
  const written = { out: '', err: '' }
  const io: Io = {
    out: (text) => {
      written.out += text
      onOut?.(text)
    },
    err: (text) => {
      written.err += text
    },
    stdin: async (limit) => {
      if (stdin.length > limit) throw usage('standard input is too large')
      return stdin
    },
    endWithReader: () => undefined,
    outIsTerminal: terminal,
    errIsTerminal: terminal,
    env,
    clock,
    random: seededRandom(++seed),
  }
  return { io, written }
}

/** Runs one command line to its end. */
export async function cli(argv: readonly string[], world: World = {}): Promise<Ended> {
  const { io, written } = fakeIo(world)
  const code = await runCli(argv, io)
  return { code, ...written }
}

/** Real time, but nobody sleeps longer than a moment; how long they wanted to is kept in `slept`. */
export function hurriedClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = []
  return {
    ...systemClock,
    slept,
    sleep: (ms, signal) => {
      // A patience of a minute is no pause: let it run, so that it is seen only when it matters.
      if (ms >= 60_000) return systemClock.sleep(ms, signal)
      slept.push(ms)
      return systemClock.sleep(1, signal)
    },
  }
}
