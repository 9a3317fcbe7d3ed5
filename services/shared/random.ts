/** Randomness, the only door to it. */
import { randomBytes } from 'node:crypto'

export interface Random {
  bytes(count: number): Uint8Array
  /** Uniform in [0, 1). */
  next(): number
}

/** Cryptographic randomness of the machine. */
export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
}

/** A small seeded generator (mulberry32) for demonstrations, tests and benchmarks; never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return { next, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256)) }
}
