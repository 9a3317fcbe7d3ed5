/** The epoch of a hosting: which of two grants is the later one, over all take-overs and restored stores. */

/** `generation` rises when a store was restored, `counter` with every grant that is offered. */
export interface Epoch {
  readonly generation: number
  readonly counter: number
}

export const noEpoch: Epoch = { generation: 0, counter: 0 }

/** Negative when `a` is the earlier one. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.generation - b.generation || a.counter - b.counter
}

export const isLater = (a: Epoch, b: Epoch): boolean => compareEpochs(a, b) > 0
export const isSame = (a: Epoch, b: Epoch): boolean => compareEpochs(a, b) === 0
export const latest = (a: Epoch, b: Epoch): Epoch => (isLater(b, a) ? b : a)

/** The first epoch after `highest` that this generation may hand out. */
export function nextEpoch(highest: Epoch, generation: number): Epoch {
  return { generation: Math.max(generation, highest.generation), counter: highest.counter + 1 }
}

export const epochText = ({ generation, counter }: Epoch): string => `${generation}.${counter}`
