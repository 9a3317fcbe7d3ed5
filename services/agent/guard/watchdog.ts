/** The watchdog of the machine, which resets it when nobody pats: a guard that hangs stops nothing, a reset does. */
import { closeSync, openSync, writeSync } from 'node:fs'

export interface Watchdog {
  /** Opens it at the first; from then on the machine depends on the next. Throws when it is not there or not free. */
  pat(): void
  /** `isDisarmed` only when nothing is left to be guarded: else the next guard has as long as the watchdog gives. */
  close(isDisarmed: boolean): void
}

export function openWatchdog(path: string): Watchdog {
  let device: number | undefined
  return {
    pat() {
      device ??= openSync(path, 'a')
      writeSync(device, '.')
    },
    close(isDisarmed) {
      if (device === undefined) return
      // The letter by which the kernel knows that this is meant.
      if (isDisarmed) writeSync(device, 'V')
      closeSync(device)
      device = undefined
    },
  }
}
