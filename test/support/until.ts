/** Waiting for what the product does in its own time: a condition, and what it was if it does not come. */
import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 60_000

export async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs / 1000} s: ${what}`)
    await sleep(20)
  }
}
