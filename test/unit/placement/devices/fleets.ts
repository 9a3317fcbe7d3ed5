/** Random nodes with devices and requests for them, the same for the same seed. */
import type { DeviceNode, DeviceRequest } from '../../../../services/placement/index.ts'
import { seededRandom } from '../../../../services/shared/random.ts'

const models = ['A10', 'P100', 'T4']

export function nodesOf(seed: number, count: number): DeviceNode[] {
  const { next } = seededRandom(seed)
  const whole = (most: number) => Math.floor(next() * (most + 1))
  return Array.from({ length: count }, (_, n) => ({
    name: `node-${n}`,
    cpu: 8_000 * (1 + whole(11)),
    memory: 65_536 * (1 + whole(5)),
    devices: whole(8),
    model: models[n % 3] ?? '',
  }))
}

/** Without devices, with a part of one, or with whole ones, as they come on real clusters. */
export function requestsOf(seed: number, count: number): DeviceRequest[] {
  const { next } = seededRandom(seed)
  const whole = (most: number) => Math.floor(next() * (most + 1))
  return Array.from({ length: count }, () => {
    const devices = [0, 1, 1, 1, 2, 4][whole(5)] ?? 0
    const share = devices === 0 ? 0 : devices === 1 ? 100 * (1 + whole(9)) : 1_000
    const wanted = devices > 0 && whole(3) === 0 ? [models[whole(2)] ?? 'T4'] : []
    return { cpu: 1_000 * (1 + whole(15)), memory: 1_024 * (1 + whole(31)), devices, share, models: wanted }
  })
}
