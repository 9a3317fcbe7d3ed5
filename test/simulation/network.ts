/** The network: every message may be late, lost, doubled or overtaken, and any direction may be cut. */
import type { Random } from '../../services/shared/random.ts'
import type { Time } from './time.ts'

export interface Weather {
  loss: number
  double: number
  /** Share of messages that are held for up to `heldMs`. */
  late: number
  heldMs: number
}

export const calm: Weather = { loss: 0, double: 0, late: 0, heldMs: 0 }

export interface Network {
  weather: Weather
  send(from: string, to: string, deliver: () => void): void
  isOpen(from: string, to: string): boolean
  /** `from` cannot be heard at `to`; returns what mends it. */
  cut(from: (id: string) => boolean, to: (id: string) => boolean): () => void
  mendAll(): void
}

export function createNetwork(time: Time, random: Random): Network {
  const cuts = new Set<{ from: (id: string) => boolean; to: (id: string) => boolean }>()
  const isOpen = (from: string, to: string) => ![...cuts].some((cut) => cut.from(from) && cut.to(to))
  const network: Network = {
    weather: { ...calm },
    send(from, to, deliver) {
      const { loss, double, late, heldMs } = network.weather
      const copies = random.next() < double ? 2 : 1
      for (let copy = 0; copy < copies; copy++) {
        if (!isOpen(from, to) || random.next() < loss) continue
        const delay = random.next() < late ? random.next() * heldMs : 1 + random.next() * 60
        time.after(delay, () => {
          if (isOpen(from, to)) deliver()
        })
      }
    },
    isOpen,
    cut(from, to) {
      const made = { from, to }
      cuts.add(made)
      return () => cuts.delete(made)
    },
    mendAll: () => cuts.clear(),
  }
  return network
}
