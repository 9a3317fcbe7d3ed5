/** Reading again and again what somebody follows: a broker that is away for a while is waited for. */
import { CliError, exitCode } from './errors.ts'
import type { Session } from './session.ts'

/** Longer than a broker takes to be replaced or updated, and not so long that nobody hears that it is gone. */
const patienceMs = 5 * 60_000
const waitMs = { first: 1_000, last: 15_000 }

/** Rejects with what the API refuses, and with `unreachable` when it has given no answer for five minutes. */
export async function readPatiently<T>(session: Session, path: string): Promise<T> {
  const { clock, random } = session.io
  const beganAt = clock.monotonic()
  for (let failures = 0; ; failures++) {
    try {
      const found = await session.api().get<T>(path)
      if (failures > 0) session.remark('It answers again')
      return found
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== exitCode.unreachable) throw error
      if (clock.monotonic() - beganAt > patienceMs) throw error
      if (failures === 0) session.remark(`${error.message}; trying again for five minutes`)
    }
    await clock.sleep(Math.min(waitMs.first * 2 ** failures, waitMs.last) * (0.5 + random.next()))
  }
}
